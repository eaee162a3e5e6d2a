// Where the tests' own PostgreSQL is.
#ifndef EMSDB_TESTS_SUPPORT_POSTGRES_URL_H_
#define EMSDB_TESTS_SUPPORT_POSTGRES_URL_H_

#include <cstdlib>
#include <iostream>
#include <string>

namespace emsdb {

// The URL of a superuser. Without one the whole program fails: such a test is never skipped.
inline const std::string& TestPostgresUrl() {
  static const std::string url = [] {
    const char* set = std::getenv("EMSDB_TEST_POSTGRES_URL");
    if (set == nullptr || *set == '\0') {
      std::cerr << "EMSDB_TEST_POSTGRES_URL is not set: this test needs a PostgreSQL of its own;\n"
                   "start one with tests/support/private_postgres start DIR\n";
      std::exit(1);
    }
    return std::string(set);
  }();
  return url;
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_POSTGRES_URL_H_
