// Certificates for one test's TLS, made by openssl.
#ifndef EMSDB_TESTS_END_TO_END_CERTIFICATES_H_
#define EMSDB_TESTS_END_TO_END_CERTIFICATES_H_

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/gateway_process.h"

namespace emsdb {

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A certificate authority, a server's and a client's certificate, made for one test.
class Certificates {
 public:
  Certificates() {
    OpenSsl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test-ca",
             "-keyout", File("ca.key"), "-out", File("ca.pem")});
    Issue("server", "subjectAltName=IP:127.0.0.1,DNS:localhost");
    Issue("cad-api", "subjectAltName=DNS:cad-api");
  }
  std::string File(const std::string& name) const { return directory_.File(name); }

 private:
  void Issue(const std::string& name, const std::string& extension) {
    std::ofstream(File("ext")) << extension << "\n";
    OpenSsl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout",
             File(name + ".key"), "-out", File(name + ".csr")});
    OpenSsl({"x509", "-req", "-days", "1", "-in", File(name + ".csr"), "-CA", File("ca.pem"),
             "-CAkey", File("ca.key"), "-CAcreateserial", "-extfile", File("ext"), "-out",
             File(name + ".pem")});
  }
  static void OpenSsl(const std::vector<std::string>& arguments) {
    const Ended ended = RunProgram("/usr/bin/openssl", arguments, {{"HOME", "/tmp"}});
    if (ended.status != 0) throw std::runtime_error(ended.err);
  }

  TemporaryDirectory directory_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_CERTIFICATES_H_
