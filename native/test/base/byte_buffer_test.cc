// What goes into a ByteBuffer comes out of it, in order.
#include "base/byte_buffer.h"

#include <random>
#include <string>

#include "check.h"

namespace {

using sluice::ByteBuffer;

TEST(GivesBackWhatWasAppended) {
  ByteBuffer buffer;
  CHECK(buffer.empty());
  buffer.Append("one ");
  buffer.Append("");
  buffer.Append("two");
  CHECK_EQ(buffer.view(), "one two");
  buffer.DropFront(4);
  CHECK_EQ(buffer.view(), "two");
  buffer.DropFront(3);
  CHECK(buffer.empty());
}

TEST(StartsAnewAfterClearAndFree) {
  ByteBuffer buffer;
  buffer.Append(std::string(100'000, 'x'));
  buffer.Clear();
  CHECK(buffer.empty());
  buffer.Append("a");
  CHECK_EQ(buffer.view(), "a");
  buffer.Free();
  buffer.Append("b");
  CHECK_EQ(buffer.view(), "b");
}

TEST(AgreesWithAString) {
  std::mt19937 rng(7);
  ByteBuffer buffer;
  std::string reference;
  for (int step = 0; step < 20'000; ++step) {
    if (rng() % 2 == 0) {
      const std::string added(rng() % 300, static_cast<char>('a' + rng() % 26));
      buffer.Append(added);
      reference += added;
    } else {
      const size_t dropped = rng() % (reference.size() + 1);
      buffer.DropFront(dropped);
      reference.erase(0, dropped);
    }
    CHECK(buffer.view() == reference);
    if (check::failed_checks > 0) return;
  }
}

}  // namespace
