// The socket below a TLS connection, as OpenSSL reads and writes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/socket.h"
#include "tls/channel.h"
#include "tls/handles.h"

namespace sluice::tls {

/// Spares system calls that bring nothing: a second read after a short one within a call, and
/// writes of the single records of a call. It takes all that OpenSSL writes; what the socket does
/// not is kept, so that OpenSSL has no half-written record of its own. After a write has failed it
/// goes on to take it, and drops it: OpenSSL never learns of the failure, and reads on. Does not
/// own the socket. One thread. It must not move: its BIO points to it.
class Transport {
 public:
  /// @param received comes before what the socket brings
  Transport(int fd, std::string_view received) : fd_(fd), received_(received) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// @returns nullptr: no memory
  BioHandle MakeBio();

  int fd() const { return fd_; }
  /// Before each call that may read.
  void BeginReading() { last_read_ = SocketRead::kNone; }
  SocketRead last_read() const { return last_read_; }
  /// Bytes given to the constructor that nobody has read.
  bool HasReceived() const { return !received_.empty(); }
  /// The peer has finished sending; OpenSSL asks for more only where it has not said so before.
  bool saw_end() const { return saw_end_; }
  /// An errno of a read from the socket, which is its end; 0: it is well.
  int read_error() const { return read_error_; }
  /// That of the first write which failed; what the peer said before may still be read.
  int write_error() const { return write_error_; }

  /// What is written until StopGathering goes out in one system call.
  void StartGathering() { is_gathering_ = true; }
  void StopGathering();
  /// The same, but what was written goes out in front of the next write, or at the end.
  void HoldGathered();

  bool HasUnsent() const { return !unsent_.empty(); }
  /// Sends what lies here. EAGAIN: not all of it; another errno: write_error.
  IoResult Flush();

  // For the BIO: results of read(2) and write(2), -1 with ShouldRetry or a read_error.
  int Read(char* into, int size);
  int Write(const char* bytes, int size);

 private:
  /// Sends, and keeps what the socket does not take.
  void SendOrKeep(const char* bytes, size_t size);
  void FailWriting(int error_number);

  int fd_;
  int read_error_ = 0;
  int write_error_ = 0;
  SocketRead last_read_ = SocketRead::kNone;
  bool saw_end_ = false;
  bool is_gathering_ = false;
  size_t unsent_begin_ = 0;
  std::vector<char> unsent_;
  std::vector<char> held_;  // in front of what is written next
  std::string received_;
};

}  // namespace sluice::tls
