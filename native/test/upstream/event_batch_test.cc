// Events as words, and what is withdrawn from a batch.
#include "upstream/event_batch.h"

#include <array>
#include <vector>

#include "check.h"

namespace {

using namespace sluice::upstream;

struct Memory {
  std::vector<int32_t> words = std::vector<int32_t>(4 * kEventStride);
  std::vector<char> arena = std::vector<char>(1024);
  EventBatch batch{{words.data(), 4, arena.data(), arena.size()}};
};

TEST(WritesEachFieldToItsWord) {
  Memory memory;
  Event event;
  event.type = EventType::kHead;
  event.exchange = 7;
  event.status = 200;
  event.flags = event_flag::kLast;
  event.head_offset = 8;
  event.head_bytes = 9;
  event.body_offset = 16;
  event.body_bytes = 10;
  event.content_length = 0x1'8000'0001;
  event.elapsed_us = uint64_t{1} << 40;
  event.connect_us = 5;
  memory.batch.Add(event);
  const int32_t wanted[] = {1, 7,         200, 1, 8, 9, 16, 10, static_cast<int32_t>(0x8000'0001),
                            1, INT32_MAX, 5};
  for (size_t at = 0; at < kEventStride; ++at)
    CHECK_EQ(memory.words[at], wanted[at]);
}

TEST(WithdrawsTheEventsOfOneExchange) {
  Memory memory;
  for (const int32_t id : {1, 2, 1, 3}) {
    Event event;
    event.type = EventType::kBody;
    event.exchange = id;
    memory.batch.Add(event);
  }
  CHECK(memory.batch.is_full());
  memory.batch.Withdraw(1);
  const int32_t wanted[] = {0, 2, 0, 2};
  for (size_t at = 0; at < 4; ++at)
    CHECK_EQ(memory.words[at * kEventStride], wanted[at]);
}

TEST(StartsAnewAfterEachBatch) {
  Memory memory;
  const uint32_t serial = memory.batch.serial();
  memory.batch.Add({});
  memory.batch.Use(13);
  CHECK_EQ(memory.batch.used_bytes(), 16);
  memory.batch.Use(2000);
  CHECK_EQ(memory.batch.free_bytes(), 0);
  memory.batch.Empty();
  CHECK_EQ(memory.batch.count(), 0);
  CHECK_EQ(memory.batch.free_bytes(), 1024);
  CHECK(memory.batch.serial() != serial);
}

}  // namespace
