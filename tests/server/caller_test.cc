#include "server/caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/errors.h"
#include "server/tokens_file.h"

namespace emsdb {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kToken[] = "correct-horse-battery-staple";

const Callers& TwoCallers() {
  static const auto parsed = ParseTokensFile(R"({"callers": [
    {"caller": "cad", "tokens": ["correct-horse-battery-staple"], "databases": ["main"],
     "certificates": ["cad.ems.example"], "highest_priority": "dispatch"},
    {"caller": "reports", "tokens": ["sixteen-or-more-characters"], "databases": "*"}]})",
                                             {"main"});
  return *std::get<std::shared_ptr<const Callers>>(parsed);
}

Introduction ByToken(const std::string& authorization) {
  Introduction introduction;
  introduction.authorizations = {authorization};
  introduction.label = "what-it-says";
  return introduction;
}

void ExpectUnauthenticated(const Introduction& introduction, const char* reason) {
  const auto caller = Recognise(introduction, &TwoCallers());
  EXPECT_EQ(caller.status().code(), absl::StatusCode::kUnauthenticated) << caller.status();
  EXPECT_EQ(DetailOf(caller.status()).reason, reason);
  EXPECT_THAT(std::string(caller.status().message()), Not(HasSubstr("horse")));
}

TEST(Recognise, BelievesALabelWithoutATokensFileAndMarksItUnproven) {
  const auto caller = Recognise(ByToken("Bearer whatever"), nullptr);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->name, "what-it-says");
  EXPECT_EQ(caller->proof, Caller::Proof::kNone);
  EXPECT_EQ(caller->rights, nullptr);
  EXPECT_EQ(caller->owner(), "label:what-it-says");
}

TEST(Recognise, TakesTheOwnerOfTheTokenForTheCallerAndNotItsLabel) {
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER  "}) {
    const auto caller = Recognise(ByToken(std::string(scheme) + kToken), &TwoCallers());
    ASSERT_TRUE(caller.ok()) << caller.status();
    EXPECT_EQ(caller->name, "cad");
    EXPECT_EQ(caller->proof, Caller::Proof::kToken);
    EXPECT_EQ(caller->rights->highest, Priority::kDispatch);
  }
}

TEST(Recognise, RefusesWhomTheFileDoesNotKnow) {
  ExpectUnauthenticated({}, "TOKEN_MISSING");
  for (const char* wrong : {"", "Bearer", "Bearer ", "Basic correct-horse-battery-staple",
                            "correct-horse-battery-staple", "Bearer correct-horse-battery-stapl",
                            "Bearer correct-horse-battery-staple ", "BearerX"}) {
    ExpectUnauthenticated(ByToken(wrong), "TOKEN_UNKNOWN");
  }
}

TEST(Recognise, RefusesTwoTokensRatherThanChooseOne) {
  Introduction introduction = ByToken(std::string("Bearer ") + kToken);
  introduction.authorizations.push_back("Bearer sixteen-or-more-characters");
  ExpectUnauthenticated(introduction, "TOKEN_UNKNOWN");
}

TEST(Recognise, TakesTheCertificateBeforeTheToken) {
  Introduction introduction = ByToken("Bearer sixteen-or-more-characters");
  introduction.certificate_names = {"10.0.0.1", "cad.ems.example"};
  const auto caller = Recognise(introduction, &TwoCallers());
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->name, "cad");
  EXPECT_EQ(caller->proof, Caller::Proof::kCertificate);
}

TEST(Recognise, TakesTheTokenWhereTheCertificateIsOfNobodyItKnows) {
  Introduction introduction = ByToken("Bearer sixteen-or-more-characters");
  introduction.certificate_names = {"proxy.ems.example"};
  EXPECT_EQ(Recognise(introduction, &TwoCallers())->name, "reports");
  introduction.authorizations.clear();
  ExpectUnauthenticated(introduction, "TOKEN_MISSING");
}

TEST(Recognise, GivesACallerOneOwnerByWhateverProof) {
  Introduction by_certificate;
  by_certificate.certificate_names = {"cad.ems.example"};
  const auto one = Recognise(by_certificate, &TwoCallers());
  const auto other = Recognise(ByToken(std::string("Bearer ") + kToken), &TwoCallers());
  EXPECT_EQ(one->owner(), other->owner());
  Introduction impostor;
  impostor.label = "cad";
  EXPECT_NE(Recognise(impostor, nullptr)->owner(), one->owner());
}

TEST(Recognise, TakesTheUsualPriorityFromTheMetadata) {
  Introduction introduction;
  introduction.priority = "dispatch";
  EXPECT_EQ(Recognise(introduction, nullptr)->usual_priority, Priority::kDispatch);
  introduction.priority = "Dispatch";
  const auto refused = Recognise(introduction, nullptr);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("emsdb-priority"));
}

TEST(Recognise, TellsOfTheRefusedByTheirLabelUnproven) {
  const Caller caller = Unrecognised(ByToken("Bearer wrong"));
  EXPECT_EQ(caller.name, "what-it-says");
  EXPECT_EQ(caller.proof, Caller::Proof::kNone);
  Introduction binary;
  binary.label = "\x01";
  EXPECT_EQ(Unrecognised(binary).name, "");
}

TEST(Recognise, TakesOnlyATraceParentOfTheStandardsForm) {
  constexpr char kValid[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto taken = [](const std::string& text) {
    Introduction introduction;
    introduction.trace_parent = text;
    return Unrecognised(introduction).trace_parent;
  };
  EXPECT_EQ(taken(kValid), kValid);
  for (const char* invalid : {"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                              "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                              "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                              "00-4bf92f3577b34da6a3ce929d0e0e473--00f067aa0ba902b7-01",
                              "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"}) {
    EXPECT_EQ(taken(invalid), "") << invalid;
  }
}

}  // namespace
}  // namespace emsdb
