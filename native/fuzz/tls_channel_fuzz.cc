// libFuzzer target: bytes of a peer during and after a TLS handshake: made up, or those of a real
// conversation that somebody changes, cuts or adds to on their way.
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/socket.h"
#include "base/unique_fd.h"
#include "fuzz_input.h"
#include "tls/channel.h"
#include "tls/client_context.h"
#include "tls/made_certificates.h"
#include "tls/server_context.h"

namespace sluice::fuzz {
namespace {

using tls::Channel;
using tls::ClientContext;
using tls::ClientSettings;
using tls::HandshakeStep;
using tls::ServerContext;
using tls::ServerSettings;
using tls::TlsFailure;

constexpr char kName[] = "a.test";

std::shared_ptr<ServerContext> MakeServer(const ServerSettings& settings, bool has_certificate) {
  std::string error;
  auto context = ServerContext::Make(settings, &error);
  REQUIRE(context != nullptr);
  if (has_certificate) REQUIRE(context->SetCertificates({made::Ours().server.Shown()}).empty());
  REQUIRE(context->SetChallenge(kName, made::Ours().server.Shown()).empty());
  return context;
}

/// Contexts are made once: keys cost time. No session outlives its connection, so that an input
/// does the same whatever came before it.
struct Contexts {
  std::array<std::shared_ptr<ServerContext>, 4> servers;
  std::array<std::shared_ptr<ClientContext>, 2> clients;

  Contexts() {
    const std::string ca = made::Ours().ca();
    servers[0] = MakeServer({.alpn = {"h2", "http/1.1"}}, true);
    servers[1] = MakeServer({.client_auth = tls::ClientAuth::kRequired, .client_ca = ca}, true);
    servers[2] = MakeServer({.alpn = {"http/1.1"}, .early_data_bytes = 1024}, true);
    servers[3] = MakeServer({.requires_tls13 = true}, false);
    for (const bool has_certificate : {false, true}) {
      ClientSettings settings;
      settings.ca = ca;
      settings.resumes = false;
      settings.has_certificate = has_certificate;
      if (has_certificate) settings.certificate = made::Ours().server.Shown();
      std::string error;
      clients[has_certificate ? 1 : 0] = ClientContext::Make(settings, &error);
      REQUIRE(clients[has_certificate ? 1 : 0] != nullptr);
    }
  }
};

Contexts& Shared() {
  static Contexts contexts;
  return contexts;
}

/// A channel's socket, and the far end of it.
struct Ends {
  UniqueFd near;
  UniqueFd far;

  Ends() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    near.Reset(fds[0]);
    far.Reset(fds[1]);
  }
};

/// One side, which says some words once it is established, and hears what comes.
class Side {
 public:
  Side(std::unique_ptr<Channel> channel, std::string_view words)
      : channel_(std::move(channel)), unsaid_(words) {
    REQUIRE(channel_ != nullptr);
  }

  void Step() {
    if (is_over_) return;
    if (!is_established_) {
      const HandshakeStep step = channel_->Handshake();
      REQUIRE((step == HandshakeStep::kFailed) == (channel_->failure() != TlsFailure::kNone));
      if (channel_->HasUnsent()) (void)channel_->Flush();
      is_over_ = step == HandshakeStep::kFailed;
      is_established_ = step == HandshakeStep::kDone;
      REQUIRE(is_established_ == channel_->is_established());
      if (!is_established_) return;
      CheckFacts();
    }
    Read();
    if (!unsaid_.empty()) {
      const IoResult sent = channel_->Send(unsaid_.data(), unsaid_.size());
      REQUIRE(sent.bytes <= unsaid_.size());
      unsaid_.remove_prefix(sent.bytes);
    } else if (!has_finished_) {
      has_finished_ = !channel_->FinishSending().would_block();
    }
    if (channel_->HasUnsent()) (void)channel_->Flush();
  }
  bool is_established() const { return is_established_; }
  bool has_ended_in_order() const { return has_ended_ && !channel_->was_cut(); }
  const std::string& heard() const { return heard_; }
  const Channel& channel() const { return *channel_; }

 private:
  void Read() {
    // No event says that more lies there: as its users do, it is asked until it says EAGAIN.
    for (int reads = 0; reads < 1000 && !has_ended_; ++reads) {
      ExactCopy room(std::string(37, '?'));
      const IoResult got = channel_->Receive(room.data(), room.view().size());
      REQUIRE(got.bytes <= room.view().size());
      if (got.would_block()) return;
      if (got.error != 0) {
        REQUIRE(got.bytes == 0);
        is_over_ = true;
        return;
      }
      has_ended_ = got.bytes == 0;
      heard_ += room.view().substr(0, got.bytes);
    }
  }
  void CheckFacts() const {
    for (const std::string_view text : {channel_->version(), channel_->cipher()})
      REQUIRE(!text.empty());
    for (const char byte : channel_->peer().subject)
      REQUIRE(byte >= ' ' && byte < 0x7f);
    REQUIRE(channel_->peer().fingerprint.empty() || channel_->peer().fingerprint.size() == 64);
    (void)channel_->HasShownNameOf(kName);
  }

  std::unique_ptr<Channel> channel_;
  std::string_view unsaid_;
  bool is_established_ = false;
  bool has_finished_ = false;
  bool has_ended_ = false;
  bool is_over_ = false;
  std::string heard_;
};

/// Who speaks has no keys of this connection: it gets no further than to an error.
void PlayMadeUp(std::string_view input, const std::vector<size_t>& piece_sizes,
                std::unique_ptr<Channel> channel, Ends* ends) {
  const int fd = ends->far.get();
  Side side(std::move(channel), "words");
  std::array<char, 4096> drain;
  side.Step();
  ForEachPiece(input.size(), piece_sizes, [&](size_t begin, size_t end) {
    (void)Send(fd, input.data() + begin, end - begin);
    side.Step();
    while (Receive(fd, drain.data(), drain.size()).bytes > 0)
      continue;
    return true;
  });
  ends->far.Reset();
  side.Step();
  REQUIRE(!side.is_established());
  REQUIRE(side.channel().failure() != TlsFailure::kNone);
}

/// What happens to the bytes of one direction, at a place counted from its first.
struct Edit {
  enum class Kind : uint8_t { kChange, kInsert, kDrop, kEnd };
  Kind kind = Kind::kChange;
  size_t at = 0;
  uint8_t value = 0;
};

/// Carries bytes from one far end to another.
class Carrier {
 public:
  Carrier(int from, int to) : from_(from), to_(to) {}

  void Add(const Edit& edit) { edits_.push_back(edit); }
  void Move() {
    std::array<char, 16 * 1024> bytes;
    const IoResult got = Receive(from_, bytes.data(), bytes.size());
    std::string out;
    for (size_t at = 0; at < got.bytes && !is_over_; ++at, ++passed_)
      Pass(bytes[at], &out);
    if (!out.empty()) (void)Send(to_, out.data(), out.size());
    const bool has_ended = got.error != 0 ? !got.would_block() : got.bytes == 0;
    if (std::exchange(is_over_, is_over_ || has_ended) != is_over_ || (is_over_ && !has_told_)) {
      has_told_ = true;
      (void)::shutdown(to_, SHUT_WR);
    }
  }
  bool has_edited() const { return has_edited_; }

 private:
  void Pass(char byte, std::string* out) {
    for (const Edit& edit : edits_) {
      if (edit.at != passed_) continue;
      has_edited_ = has_edited_ || edit.kind != Edit::Kind::kChange || edit.value != 0;
      switch (edit.kind) {
        case Edit::Kind::kChange:
          byte = static_cast<char>(byte ^ edit.value);
          break;
        case Edit::Kind::kInsert:
          out->append(1u + edit.value % 16, static_cast<char>(edit.value));
          break;
        case Edit::Kind::kDrop:
          return;
        case Edit::Kind::kEnd:
          is_over_ = true;
          return;
      }
    }
    out->push_back(byte);
  }

  int from_;
  int to_;
  std::vector<Edit> edits_;
  size_t passed_ = 0;
  bool is_over_ = false;
  bool has_told_ = false;
  bool has_edited_ = false;
};

/// A client and a server of ours with somebody between them: nobody may hear what was not said.
void PlayConversation(Steering* steering, ServerContext* server, ClientContext* client) {
  constexpr std::string_view kQuestion = "what the client says, once it is sure of the server";
  constexpr std::string_view kAnswer = "what the server says, in more bytes than a buffer has";
  Ends of_server;
  Ends of_client;
  Carrier up(of_client.far.get(), of_server.far.get());
  Carrier down(of_server.far.get(), of_client.far.get());
  while (!steering->rest().empty()) {
    const uint8_t what = steering->TakeByte();
    Edit edit;
    edit.kind = static_cast<Edit::Kind>(what % 4);
    edit.at = steering->TakeByte() * size_t{256};
    edit.at += steering->TakeByte();
    edit.value = steering->TakeByte();
    ((what & 4) != 0 ? up : down).Add(edit);
  }
  Side accepting(server->Accept(of_server.near.get()), kAnswer);
  Side connecting(client->Connect(of_client.near.get(), kName, kName, {"http/1.1", "h2"}),
                  kQuestion);
  for (int round = 0; round < 12; ++round) {
    connecting.Step();
    up.Move();
    accepting.Step();
    down.Move();
  }
  REQUIRE(kQuestion.starts_with(accepting.heard()));
  REQUIRE(kAnswer.starts_with(connecting.heard()));
  if (accepting.has_ended_in_order()) REQUIRE(accepting.heard() == kQuestion);
  if (connecting.has_ended_in_order()) REQUIRE(connecting.heard() == kAnswer);
  if (accepting.is_established() && connecting.is_established()) {
    REQUIRE(accepting.channel().protocol() == connecting.channel().protocol());
    REQUIRE(accepting.channel().server_name() == kName);
  }
  if (up.has_edited() || down.has_edited() || !accepting.is_established()) return;
  REQUIRE(accepting.has_ended_in_order() && connecting.has_ended_in_order());
}

}  // namespace
}  // namespace sluice::fuzz

/// Input: flags (1 to a client, 2 a conversation, 4 the client has a certificate, 16 and 32 which
/// server), number of piece sizes, piece sizes, bytes; of a conversation: four bytes for each edit.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const uint8_t flags = steering.TakeByte();
  const auto server = Shared().servers[flags >> 4 & 3];
  const auto client = Shared().clients[(flags & 4) != 0 ? 1 : 0];
  if ((flags & 2) != 0) {
    PlayConversation(&steering, server.get(), client.get());
    return 0;
  }
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  Ends ends;
  if ((flags & 1) != 0) {
    PlayMadeUp(steering.rest(), piece_sizes, client->Connect(ends.near.get(), kName, kName, {"h2"}),
               &ends);
  } else {
    PlayMadeUp(steering.rest(), piece_sizes, server->Accept(ends.near.get()), &ends);
  }
  return 0;
}
