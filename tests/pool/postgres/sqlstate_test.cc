#include "pool/postgres/sqlstate.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace emsdb {
namespace {

using enum absl::StatusCode;

TEST(Sqlstate, SaysWhatEachMeansToACaller) {
  const struct {
    const char* sqlstate;
    absl::StatusCode code;
    Retry retry;
  } cases[] = {
      {"40001", kAborted, Retry::kYes},
      {"40P01", kAborted, Retry::kYes},
      {"25P02", kAborted, Retry::kNo},
      {"25P03", kAborted, Retry::kNo},
      {"23505", kAlreadyExists, Retry::kNo},
      {"23503", kFailedPrecondition, Retry::kNo},
      {"23502", kFailedPrecondition, Retry::kNo},
      {"23514", kFailedPrecondition, Retry::kNo},
      {"25006", kFailedPrecondition, Retry::kNo},
      {"55000", kFailedPrecondition, Retry::kNo},
      {"22P02", kInvalidArgument, Retry::kNo},
      {"22003", kInvalidArgument, Retry::kNo},
      {"42601", kInvalidArgument, Retry::kNo},
      {"42703", kInvalidArgument, Retry::kNo},
      {"08P01", kInvalidArgument, Retry::kNo},
      {"42501", kPermissionDenied, Retry::kNo},
      {"28000", kPermissionDenied, Retry::kNo},
      {"42P01", kNotFound, Retry::kNo},
      {"3D000", kNotFound, Retry::kNo},
      {"53300", kResourceExhausted, Retry::kYes},
      {"53200", kResourceExhausted, Retry::kYes},
      {"53100", kResourceExhausted, Retry::kNo},
      {"02000", kNotFound, Retry::kNo},
      {"0LP01", kInvalidArgument, Retry::kNo},
      {"20000", kFailedPrecondition, Retry::kNo},
      {"24000", kFailedPrecondition, Retry::kNo},
      {"2BP01", kFailedPrecondition, Retry::kNo},
      {"2F005", kFailedPrecondition, Retry::kNo},
      {"HV000", kFailedPrecondition, Retry::kNo},
      {"XX001", kDataLoss, Retry::kNo},
      {"XX002", kDataLoss, Retry::kNo},
      {"57P01", kUnavailable, Retry::kYes},
      {"57P03", kUnavailable, Retry::kYes},
      {"08006", kUnavailable, Retry::kYes},
      {"40003", kUnknown, Retry::kNo},
      {"57014", kAborted, Retry::kYes},
      {"XX000", kInternal, Retry::kNo},
      {"", kInternal, Retry::kNo},
  };
  for (const auto& [sqlstate, code, retry] : cases) {
    EXPECT_EQ(MeaningOf(sqlstate).code, code) << sqlstate;
    EXPECT_EQ(MeaningOf(sqlstate).retry, retry) << sqlstate;
  }
}

// The gateway's own login is the operator's trouble: for a caller the database is not there.
TEST(Sqlstate, CallsADatabaseUnavailableThatRefusesTheGateway) {
  for (const char* sqlstate : {"28P01", "28000", "3D000"}) {
    EXPECT_EQ(ConnectMeaningOf(sqlstate).code, kUnavailable);
    EXPECT_EQ(ConnectMeaningOf(sqlstate).retry, Retry::kNo);
  }
  EXPECT_EQ(ConnectMeaningOf("57P03").retry, Retry::kYes);
  EXPECT_EQ(ConnectMeaningOf("53300").code, kResourceExhausted);
}

// The list of statuses in query_service.proto: what stands behind each name.
std::map<std::string, std::string> ManualOfStatuses() {
  std::ifstream file(EMSDB_SOURCE_DIR "/proto/emsdb/v1/query_service.proto");
  std::map<std::string, std::string> texts;
  const std::regex entry("//   ([A-Z_]+) +(.*)");
  const std::regex more("// {10,}(.*)");
  std::string name;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, entry)) {
      name = match[1];
      texts[name] = match[2];
    } else if (!name.empty() && std::regex_match(line, match, more)) {
      texts[name] += " " + match[1].str();
    } else {
      name.clear();
    }
  }
  return texts;
}

// The codes and classes that `text` names; of a class, one code of it that no table has.
std::vector<std::string> SqlstatesIn(const std::string& text) {
  std::vector<std::string> found;
  const std::regex code("\\b(?=[A-Z]*[0-9])[0-9A-Z]{5}\\b");
  for (std::sregex_iterator at(text.begin(), text.end(), code), end; at != end; ++at) {
    found.push_back(at->str());
  }
  const std::regex classes("class ((?:[0-9A-Z]{2}(?:, )?\\b)+)");
  const std::regex one("[0-9A-Z]{2}");
  for (std::sregex_iterator at(text.begin(), text.end(), classes), end; at != end; ++at) {
    const std::string list = (*at)[1];
    for (std::sregex_iterator in(list.begin(), list.end(), one); in != end; ++in) {
      found.push_back(in->str() + "ZZZ");
    }
  }
  return found;
}

TEST(Sqlstate, IsWhatTheProtocolsManualSays) {
  const auto manual = ManualOfStatuses();
  std::size_t checked = 0;
  for (const auto& [name, text] : manual) {
    for (const std::string& sqlstate : SqlstatesIn(text)) {
      EXPECT_EQ(absl::StatusCodeToString(MeaningOf(sqlstate).code), name) << sqlstate;
      ++checked;
    }
  }
  EXPECT_GT(checked, 45U);
  // Every status that the table knows is in the manual.
  for (const char* name : {"INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION",
                           "PERMISSION_DENIED", "ABORTED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED",
                           "UNAVAILABLE", "UNKNOWN", "DATA_LOSS", "INTERNAL"}) {
    ASSERT_TRUE(manual.contains(name)) << name;
    EXPECT_FALSE(SqlstatesIn(manual.at(name)).empty()) << name;
  }
}

}  // namespace
}  // namespace emsdb
