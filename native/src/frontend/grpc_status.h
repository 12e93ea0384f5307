// How gRPC says that a call has ended: `grpc-status` in the head or in the trailers of an answer.
#pragma once

#include <cstdint>
#include <string_view>

#include "http1/response_head.h"

namespace sluice::frontend {

/// What PROGRESS tells of an answer in its word kGrpcStatus; a status is its code and one. The same
/// numbers stand in src/core/grpc-status.ts.
inline constexpr int32_t kNotGrpc = 0;
/// It is gRPC, and its trailers say how it ends.
inline constexpr int32_t kGrpcAwaited = -1;
/// It ended with a code that is none (0 to 16), or without one.
inline constexpr int32_t kGrpcOther = 18;

/// Looks for an answer of gRPC (content type application/grpc, with what may follow it) and its
/// status. To be asked for requests only that take trailers, as each of gRPC does: it looks at all
/// fields.
/// @param head_input starts with the head that was accepted as `head`
int32_t GrpcStatusOfHead(std::string_view head_input, const http1::ResponseHead& head);

/// @param trailers field lines with their CRLFs, as accepted; empty: none
/// @returns the status and one, or kGrpcOther
int32_t GrpcStatusOfTrailers(std::string_view trailers);

}  // namespace sluice::frontend
