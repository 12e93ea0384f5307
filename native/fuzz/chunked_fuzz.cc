// libFuzzer target: the chunked decoder over arbitrary bodies and splits.
#include "decode_body.h"

/// Input: number of piece sizes, piece sizes, body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  CheckDecoding(steering.rest(), piece_sizes);
  return 0;
}
