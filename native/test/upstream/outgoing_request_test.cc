// Which bytes of a request are unsent, and whether it can begin again.
#include "upstream/outgoing_request.h"

#include <string>

#include "check.h"

namespace {

using sluice::upstream::OutgoingRequest;

TEST(KeepsNothingOfARequestThatIsNotToBeReplayed) {
  OutgoingRequest request;
  request.Begin();
  request.NoteSent("head");
  CHECK_EQ(request.unsent_bytes(), 0);
  CHECK(!request.is_whole());
  CHECK(request.has_reached_endpoint());
}

TEST(BeginsAgainWithAllThatWasKept) {
  OutgoingRequest request;
  request.Begin();
  request.Retain(OutgoingRequest::kMaxReplayBytes);
  request.NoteSent("head ");
  request.AddUnsent("body");
  request.MarkSent(2);
  CHECK_EQ(request.unsent(), "dy");
  CHECK(request.is_whole());
  request.Rewind();
  CHECK_EQ(request.unsent(), "head body");
  CHECK(request.has_reached_endpoint());
}

TEST(IsUntouchedUntilTheKernelTakesAByte) {
  OutgoingRequest request;
  request.Begin();
  request.AddUnsent("head");
  request.NoteSent("");
  request.MarkSent(0);
  CHECK(!request.has_reached_endpoint());
  CHECK(request.is_whole());
  CHECK_EQ(request.unsent(), "head");
}

TEST(DropsWhatWasKeptWhenTheResponseBegins) {
  OutgoingRequest request;
  request.Begin();
  request.Retain(OutgoingRequest::kMaxReplayBytes);
  request.NoteSent("head");
  request.AddUnsent("body");
  request.Retain(0);
  CHECK_EQ(request.unsent(), "body");
  CHECK(!request.is_whole());
}

TEST(GivesUpAReplayThatWouldNeedTooMuchMemory) {
  OutgoingRequest request;
  request.Begin();
  request.Retain(OutgoingRequest::kMaxReplayBytes);
  request.NoteSent(std::string(OutgoingRequest::kMaxReplayBytes, 'x'));
  CHECK(request.is_whole());
  request.NoteSent("y");
  CHECK(!request.is_whole());
  request.AddUnsent("z");
  CHECK_EQ(request.unsent(), "z");
}

TEST(StartsAnew) {
  OutgoingRequest request;
  request.Begin();
  request.Retain(OutgoingRequest::kMaxReplayBytes);
  request.NoteSent("old");
  request.AddUnsent("old");
  request.Begin();
  CHECK(request.is_whole());
  CHECK(!request.has_reached_endpoint());
  CHECK_EQ(request.unsent_bytes(), 0);
}

}  // namespace
