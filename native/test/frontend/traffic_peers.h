// The two ends of a random test: clients that ask and check their answers, and an endpoint that
// checks what it is asked and answers as planned. Both do a random little at a time.
#pragma once

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/front_end_rig.h"
#include "frontend/traffic_plan.h"

namespace traffic {

using loopback::Endpoint;
using loopback::Peer;

/// Bytes on their way out, in random pieces.
inline bool WriteSome(Peer& peer, std::string& out, Rng& rng) {
  const size_t size = std::min(out.size(), 1 + Pick(rng, Chance(rng, 20) ? 20 : 60'000));
  const auto sent = sluice::Send(peer.fd(), out.data(), size);
  out.erase(0, sent.bytes);
  return sent.error == 0 || sent.would_block();
}

/// What a read brought besides bytes.
enum class ReadEnd { kOpen, kFinished, kReset };

inline ReadEnd ReadPiece(Peer& peer, std::string& in, Rng& rng) {
  char bytes[64 * 1024];
  const auto got =
      sluice::Receive(peer.fd(), bytes, 1 + Pick(rng, Chance(rng, 20) ? 50 : sizeof bytes));
  in.append(bytes, got.bytes);
  if (got.would_block() || got.bytes > 0) return ReadEnd::kOpen;
  return got.error == 0 ? ReadEnd::kFinished : ReadEnd::kReset;
}

/// All requests of a test, by their numbers.
class Plans {
 public:
  Plan& Make(Rng& rng) {
    plans_.push_back(std::make_unique<Plan>(MakePlan(plans_.size(), rng)));
    return *plans_.back();
  }
  Plan* Find(std::string_view head) {
    const size_t slash = head.find('/');
    const size_t number = std::strtoul(head.data() + slash + 1, nullptr, 10);
    return number < plans_.size() ? plans_[number].get() : nullptr;
  }

 private:
  std::vector<std::unique_ptr<Plan>> plans_;
};

/// One connection to the front end. Answers that are whole have to be right, in the order of their
/// requests; what is no answer has to look like none.
class TrafficClient {
 public:
  /// @param is_unix no reset tells a broken answer that ends with its connection
  TrafficClient(Peer peer, bool is_unix, Plans* plans, size_t requests)
      : peer_(std::move(peer)), is_unix_(is_unix), plans_(plans), requests_left_(requests) {}

  bool is_over() const { return !peer_.is_open(); }
  size_t whole_answers() const { return whole_answers_; }
  /// Its connection has ended in order with requests that have no answer, and nothing said why.
  bool is_forsaken() const { return is_forsaken_; }

  void Step(Rng& rng, bool may_be_rude) {
    const size_t choice = Pick(rng, 100);
    if (choice < 30) {
      if (!out_.empty() && !has_finished_) can_write_ = WriteSome(peer_, out_, rng) && can_write_;
      if (!can_write_) out_.clear();
    } else if (choice < 75) {
      Read(rng);
    } else if (choice < 90) {
      Ask(rng);
    } else if (may_be_rude && Chance(rng, 3)) {
      BeRude(rng);
    }
    // All is said and answered: it leaves, as most do.
    const bool is_served = requests_left_ == 0 && out_.empty() && asked_.empty();
    if (!is_over() && is_served && Chance(rng, 30)) peer_.Close();
  }

 private:
  void Ask(Rng& rng) {
    if (requests_left_ == 0 || has_finished_ || is_last_asked_) return;
    --requests_left_;
    Plan& plan = plans_->Make(rng);
    asked_.push_back(&plan);
    out_ += RequestOf(plan, rng);
    // Behind these the front end reads no further request, or what it reads is none.
    is_last_asked_ = plan.wants_tunnel || plan.asks_close || plan.is_http10 || plan.is_malformed;
    if (is_last_asked_) requests_left_ = 0;
  }

  void BeRude(Rng& rng) {
    const size_t way = Pick(rng, 3);
    if (way == 0) return peer_.Reset();
    if (way == 1) return peer_.Close();
    peer_.Finish();
    has_finished_ = true;
    out_.clear();
    requests_left_ = 0;
  }

  void Read(Rng& rng) {
    ReadEnd end = ReadPiece(peer_, in_, rng);
    // A write that failed took the error with it: a read finds what looks like an orderly end.
    if (end == ReadEnd::kFinished && !can_write_) end = ReadEnd::kReset;
    while (TakeAnswer())
      continue;
    if (end == ReadEnd::kOpen) return;
    if (!in_.empty() && !asked_.empty()) TakeRest(end);
    const bool is_lost = !asked_.empty() && end == ReadEnd::kFinished && in_.empty();
    is_forsaken_ = is_lost && !has_finished_ && !was_last_ && !was_early_;
    peer_.Close();
  }

  /// @returns whether there may be another one
  bool TakeAnswer() {
    if (asked_.empty()) {
      CHECK(is_tunnel_ || in_.empty());
      return false;
    }
    const Plan& plan = *asked_.front();
    if (in_.starts_with("HTTP/1.1 1")) {
      const Message interim = ReadMessage(in_, true, true);
      if (!interim.is_whole) return false;
      in_.erase(0, interim.used_bytes);
      if (!interim.head.starts_with("HTTP/1.1 101 ")) return true;
      CHECK(plan.wants_tunnel);
      asked_.clear();
      is_tunnel_ = true;
      return false;
    }
    const Message answer = ReadMessage(in_, true, IsBodyless(plan));
    CHECK(!answer.is_bad);
    if (!answer.is_whole) return false;
    Check(plan, answer, true);
    in_.erase(0, answer.used_bytes);
    was_last_ = answer.holds("\r\nconnection: close\r\n");
    was_early_ = plan.is_early;
    asked_.erase(asked_.begin());
    ++whole_answers_;
    return true;
  }

  bool IsBodyless(const Plan& plan) const {
    return plan.is_head || in_.starts_with("HTTP/1.1 204") || in_.starts_with("HTTP/1.1 304");
  }

  /// The connection has ended inside an answer.
  void TakeRest(ReadEnd end) {
    const Plan& plan = *asked_.front();
    const Message answer = ReadMessage(in_, true, IsBodyless(plan));
    if (!answer.has_head) return;
    Check(plan, answer, answer.ends_with_close && end == ReadEnd::kFinished && !is_unix_);
    was_last_ = true;
  }

  void Check(const Plan& plan, const Message& answer, bool is_whole) {
    const std::string number = answer.value("x-n");
    CHECK(!plan.is_malformed || number.empty());
    if (number.empty()) {  // the proxy's own
      CHECK(answer.holds("HTTP/1.1 503") || (plan.is_malformed && answer.holds("HTTP/1.1 400")));
      if (is_whole && !plan.is_head) CHECK_EQ(answer.body, "local");
      return;
    }
    CHECK_EQ(number, std::to_string(plan.number));
    CHECK(answer.holds("HTTP/1.1 " + std::to_string(plan.status)));
    if (!plan.has_body()) return CHECK_EQ(answer.body, "");
    const std::string wanted = plan.answer();
    if (is_whole) {
      CHECK(!plan.is_cut);
      CHECK_EQ(answer.body.size(), wanted.size());
    }
    CHECK(std::string_view(wanted).starts_with(answer.body));
  }

  Peer peer_;
  bool is_unix_;
  Plans* plans_;
  size_t requests_left_;
  std::vector<Plan*> asked_;
  std::string out_;
  std::string in_;
  bool can_write_ = true;
  bool has_finished_ = false;
  bool is_last_asked_ = false;
  bool is_tunnel_ = false;
  bool was_last_ = false;
  bool was_early_ = false;
  bool is_forsaken_ = false;
  size_t whole_answers_ = 0;
};

/// One connection of the endpoint.
class TrafficEndpoint {
 public:
  TrafficEndpoint(Peer peer, Plans* plans) : peer_(std::move(peer)), plans_(plans) {}

  bool is_over() const { return !peer_.is_open(); }

  void Step(Rng& rng) {
    if (Chance(rng, 50)) return Write(rng);
    const bool is_idle = in_.empty() && out_.empty() && plan_ == nullptr;
    if (is_idle && Chance(rng, 1)) return peer_.Close();
    const ReadEnd end = ReadPiece(peer_, in_, rng);
    if (is_tunnel_) {
      in_.clear();
    } else {
      Take(rng);
    }
    if (end != ReadEnd::kOpen) peer_.Close();
  }

 private:
  void Write(Rng& rng) {
    if (!out_.empty() && !WriteSome(peer_, out_, rng)) return peer_.Close();
    if (!out_.empty() || !ends_behind_) return;
    if (is_reset_behind_) return peer_.Reset();
    peer_.Close();
  }

  void Take(Rng& rng) {
    if (ends_behind_) return in_.clear();
    const Message request = ReadMessage(in_, false, false);
    if (!request.has_head) return;
    CHECK(!request.is_bad);
    if (plan_ == nullptr) {
      plan_ = plans_->Find(request.head);
      CHECK(plan_ != nullptr);
      if (plan_ == nullptr) return peer_.Close();
      // What may have done something is not done again.
      CHECK(++plan_->seen == 1 || plan_->asks == Framing::kNone);
      has_answered_ = false;
      if (plan_->is_early) Answer(rng);
    }
    const std::string wanted = Content(plan_->number, false, plan_->ask_bytes);
    CHECK(std::string_view(wanted).starts_with(request.body));
    if (!request.is_whole) return;
    CHECK_EQ(request.body.size(), wanted.size());
    if (!has_answered_) Answer(rng);
    in_.erase(0, request.used_bytes);
    plan_ = nullptr;
  }

  void Answer(Rng& rng) {
    const Plan& plan = *plan_;
    has_answered_ = true;
    if (plan.wants_tunnel && Chance(rng, 70)) {
      out_ += "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n" +
              plan.answer();
      is_tunnel_ = true;
      ends_behind_ = Chance(rng, 70);
      is_reset_behind_ = Chance(rng, 30);
      if (!ends_behind_) out_ += "more";
      return;
    }
    for (size_t count = 0; count < plan.interims; ++count)
      out_ += "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    out_ += "HTTP/1.1 " + std::to_string(plan.status) +
            " Some\r\nx-n: " + std::to_string(plan.number) + "\r\n";
    std::string body = plan.answer();
    const bool is_chunked = plan.answers == Framing::kChunked;
    if (plan.answers == Framing::kLength)
      out_ += "content-length: " + std::to_string(body.size()) + "\r\n";
    if (is_chunked) out_ += "transfer-encoding: chunked\r\n";
    out_ += "\r\n";
    if (!plan.has_body()) return;
    if (is_chunked) body = Chunked(body, rng, "x-t: 1\r\n");
    if (plan.is_cut) {
      body.resize(body.size() / 2);
      ends_behind_ = true;
      is_reset_behind_ = plan.answers == Framing::kUntilClose || Chance(rng, 50);
    }
    out_ += body;
    if (plan.answers == Framing::kUntilClose) ends_behind_ = true;
  }

  Peer peer_;
  Plans* plans_;
  Plan* plan_ = nullptr;
  bool has_answered_ = false;
  bool is_tunnel_ = false;
  bool ends_behind_ = false;
  bool is_reset_behind_ = false;
  std::string in_;
  std::string out_;
};

}  // namespace traffic
