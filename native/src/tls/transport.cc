// The BIO between OpenSSL and a socket.
#include "tls/transport.h"

#include <algorithm>
#include <cstring>

namespace sluice::tls {

namespace {

/// Above it nothing more is taken from OpenSSL: a peer that never reads may make it answer (key
/// updates), and the bytes lie here.
constexpr size_t kMostUnsent = 256 * 1024;

Transport* TransportOf(BIO* bio) {
  return static_cast<Transport*>(BIO_get_data(bio));
}

int ReadBio(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  Transport* const transport = TransportOf(bio);
  const int count = transport->Read(into, size);
  if (count < 0 && transport->read_error() == 0) BIO_set_retry_read(bio);
  return count;
}

int WriteBio(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  Transport* const transport = TransportOf(bio);
  const int count = transport->Write(bytes, size);
  if (count < 0) BIO_set_retry_write(bio);
  return count;
}

long ControlBio(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return TransportOf(bio)->saw_end() ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int CreateBio(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

/// One for the process, as OpenSSL wants it; made once and never changed or freed.
BIO_METHOD* Method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice");
    if (method == nullptr) return method;
    BIO_meth_set_read(method, ReadBio);
    BIO_meth_set_write(method, WriteBio);
    BIO_meth_set_ctrl(method, ControlBio);
    BIO_meth_set_create(method, CreateBio);
    return method;
  }();
  return kMethod;
}

/// What a call of this thread gathers; empty between calls.
std::vector<char>& Gathered() {
  thread_local std::vector<char> gathered;
  return gathered;
}

}  // namespace

BioHandle Transport::MakeBio() {
  BIO_METHOD* const method = Method();
  BioHandle bio(method == nullptr ? nullptr : BIO_new(method));
  if (bio != nullptr) BIO_set_data(bio.get(), this);
  return bio;
}

int Transport::Read(char* into, int size) {
  const auto wanted = static_cast<size_t>(size);
  if (!received_.empty()) {
    const size_t count = std::min(wanted, received_.size());
    std::memcpy(into, received_.data(), count);
    received_.erase(0, count);
    if (received_.empty()) received_.shrink_to_fit();
    return static_cast<int>(count);
  }
  if (read_error_ != 0) return -1;
  if (saw_end_) return 0;
  if (last_read_ == SocketRead::kShort || last_read_ == SocketRead::kEmpty) return -1;
  const IoResult result = Receive(fd_, into, wanted);
  if (result.error != 0) {
    if (!result.would_block()) read_error_ = result.error;
    last_read_ = SocketRead::kEmpty;
    return -1;
  }
  saw_end_ = result.bytes == 0;
  last_read_ = result.bytes == wanted ? SocketRead::kFull : SocketRead::kShort;
  return static_cast<int>(result.bytes);
}

int Transport::Write(const char* bytes, int size) {
  if (write_error_ != 0) return size;
  const auto count = static_cast<size_t>(size);
  if (is_gathering_) {
    std::vector<char>& gathered = Gathered();
    gathered.insert(gathered.end(), bytes, bytes + count);
    return size;
  }
  if (HasUnsent() && Flush().would_block() && unsent_.size() - unsent_begin_ > kMostUnsent)
    return -1;
  SendOrKeep(bytes, count);
  return size;
}

void Transport::StopGathering() {
  is_gathering_ = false;
  std::vector<char>& gathered = Gathered();
  if (gathered.empty()) return;
  SendOrKeep(gathered.data(), gathered.size());
  gathered.clear();
}

void Transport::HoldGathered() {
  is_gathering_ = false;
  std::vector<char>& gathered = Gathered();
  held_.insert(held_.end(), gathered.begin(), gathered.end());
  gathered.clear();
}

void Transport::SendOrKeep(const char* bytes, size_t size) {
  if (write_error_ != 0) return;
  if (!held_.empty()) {
    std::vector<char> all;
    all.swap(held_);
    all.insert(all.end(), bytes, bytes + size);
    return SendOrKeep(all.data(), all.size());
  }
  size_t sent = 0;
  while (!HasUnsent() && sent < size) {
    const IoResult result = Send(fd_, bytes + sent, size - sent);
    if (result.would_block()) break;
    if (result.error != 0) return FailWriting(result.error);
    sent += result.bytes;
  }
  unsent_.insert(unsent_.end(), bytes + sent, bytes + size);
}

void Transport::FailWriting(int error_number) {
  write_error_ = error_number;
  std::vector<char>().swap(unsent_);
  unsent_begin_ = 0;
}

IoResult Transport::Flush() {
  if (write_error_ != 0) return {0, write_error_};
  size_t moved = 0;
  while (HasUnsent()) {
    const IoResult result =
        Send(fd_, unsent_.data() + unsent_begin_, unsent_.size() - unsent_begin_);
    if (result.error != 0) {
      if (!result.would_block()) FailWriting(result.error);
      return {moved, result.error};
    }
    moved += result.bytes;
    unsent_begin_ += result.bytes;
    if (unsent_begin_ < unsent_.size()) continue;
    std::vector<char>().swap(unsent_);
    unsent_begin_ = 0;
  }
  return {moved, 0};
}

}  // namespace sluice::tls
