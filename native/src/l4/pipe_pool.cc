// Opens, keeps and closes pipes.
#include "l4/pipe_pool.h"

#include <utility>

#include "base/socket.h"

namespace sluice::l4 {

std::unique_ptr<Pipe> PipePool::Take() {
  if (!idle_.empty()) {
    std::unique_ptr<Pipe> pipe = std::move(idle_.back());
    idle_.pop_back();
    return pipe;
  }
  if (count_ >= kMaxPipes) return nullptr;
  auto opened = OpenPipe();
  if (!opened) return nullptr;
  ++count_;
  auto pipe = std::make_unique<Pipe>();
  pipe->read_end = std::move(opened.value().first);
  pipe->write_end = std::move(opened.value().second);
  SetPipeBytes(pipe->write_end.get(), kPipeBytes);
  return pipe;
}

void PipePool::Give(std::unique_ptr<Pipe> pipe) {
  if (pipe == nullptr) return;
  if (pipe->bytes == 0 && idle_.size() < kMaxIdlePipes) {
    idle_.push_back(std::move(pipe));
  } else {
    --count_;
  }
}

void PipePool::Clear() {
  count_ -= idle_.size();
  idle_.clear();
}

}  // namespace sluice::l4
