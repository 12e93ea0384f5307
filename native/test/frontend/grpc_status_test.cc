// How calls of gRPC have ended: found in heads and trailers.
#include "frontend/grpc_status.h"

#include <string>

#include "check.h"
#include "http1/response_head.h"

using namespace sluice::frontend;
namespace http1 = sluice::http1;

namespace {

int32_t InHead(std::string_view fields) {
  const std::string text = "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n";
  http1::ResponseHead head;
  http1::ResponseHeadParser parser({16 * 1024, 100});
  CHECK(parser.Parse(text, false, &head) == http1::ParseStatus::kDone);
  return GrpcStatusOfHead(text, head);
}

}  // namespace

TEST(only_the_type_of_grpc_is_grpc) {
  CHECK_EQ(InHead(""), kNotGrpc);
  CHECK_EQ(InHead("grpc-status: 14\r\n"), kNotGrpc);
  for (const char* type : {"text/html", "application/grpc-web", "application/grpc-web+proto",
                           "application/grp", "application/grpcs", "application/json"})
    CHECK_EQ(InHead("Content-Type: " + std::string(type) + "\r\ngrpc-status: 0\r\n"), kNotGrpc);
  for (const char* type : {"application/grpc", "application/grpc+proto", "APPLICATION/GRPC",
                           "application/grpc; charset=x", "application/grpc ;x"})
    CHECK_EQ(InHead("Content-Type: " + std::string(type) + "\r\n"), kGrpcAwaited);
}

TEST(a_head_may_say_how_its_call_ended) {
  const std::string type = "content-type: application/grpc\r\n";
  CHECK_EQ(InHead(type + "grpc-status: 0\r\n"), 1);
  CHECK_EQ(InHead("Grpc-Status:14\r\n" + type), 15);
  CHECK_EQ(InHead(type + "grpc-status: 16\r\n"), 17);
  CHECK_EQ(InHead(type + "grpc-status: 3\r\ngrpc-status: 0\r\n"), 4);
  for (const char* value : {"17", "99", "100", "-1", "+1", "1a", "", "0x1"})
    CHECK_EQ(InHead(type + "grpc-status: " + value + "\r\n"), kGrpcOther);
}

TEST(trailers_say_it_or_nobody_does) {
  CHECK_EQ(GrpcStatusOfTrailers(""), kGrpcOther);
  CHECK_EQ(GrpcStatusOfTrailers("x: y\r\n"), kGrpcOther);
  CHECK_EQ(GrpcStatusOfTrailers("grpc-status: 0\r\n"), 1);
  CHECK_EQ(GrpcStatusOfTrailers("grpc-message: a\r\nGRPC-STATUS: 13\r\nx: y\r\n"), 14);
  CHECK_EQ(GrpcStatusOfTrailers("content-type: application/grpc\r\ngrpc-status: x\r\n"),
           kGrpcOther);
}
