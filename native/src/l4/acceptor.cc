// Accepts connections, and rests where descriptors run short.
#include "l4/acceptor.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "l4/peer_address.h"

namespace sluice::l4 {

namespace {

/// What accept() says of one connection that broke before it was taken, or that a firewall forbids;
/// the next one is another (accept(2), "Error handling").
bool ConcernsOneConnection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EINTR:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<std::unique_ptr<Acceptor>> Acceptor::Start(EventLoop* loop, int32_t listener,
                                                  ListeningSocket socket, AcceptedSink* sink) {
  std::unique_ptr<Acceptor> acceptor(
      new Acceptor(loop, listener, std::move(socket), sink));  // private constructor
  const int error = loop->Watch(acceptor->socket_.get(), EPOLLIN, acceptor.get());
  if (error != 0) return SystemError{error, "epoll_ctl"};
  acceptor->state_ = State::kPolling;
  return acceptor;
}

Acceptor::Acceptor(EventLoop* loop, int32_t listener, ListeningSocket socket, AcceptedSink* sink)
    : loop_(loop), listener_(listener), socket_(std::move(socket)), sink_(sink) {
  round_.reserve(kMaxRound);
  loop_->AddTask(this);
}

Acceptor::~Acceptor() {
  Stop();
}

void Acceptor::Pause() {
  if (state_ == State::kStopped) return;
  if (state_ == State::kPolling) loop_->Unwatch(socket_.get());
  loop_->timers().Cancel(this);
  state_ = State::kPaused;
}

void Acceptor::Resume() {
  if (state_ != State::kPaused) return;
  if (is_shortage_told_) {
    // Whether it is over shows the next try.
    state_ = State::kResting;
    loop_->timers().Arm(this, loop_->now_ms());
  } else {
    Poll();
  }
}

void Acceptor::Stop() {
  if (state_ == State::kStopped) return;
  Pause();
  state_ = State::kStopped;
  loop_->RemoveTask(this);
  socket_.Close();
}

void Acceptor::Finish() {
  for (int rounds = 0; rounds < kMaxLastRounds && !is_in_round_; ++rounds) {
    if (state_ == State::kStopped) return;
    round_.clear();
    (void)FillRound();  // a shortage now is the clients' loss: there will be no other try
    if (round_.empty()) break;
    HandOver();
  }
  Stop();
}

void Acceptor::OnEvents(uint32_t /*epoll_events*/) {
  is_readable_ = true;
}

void Acceptor::OnReady() {
  if (!std::exchange(is_readable_, false) || state_ != State::kPolling) return;
  RunRound();
}

void Acceptor::OnTimer(uint64_t /*now_ms*/) {
  if (state_ == State::kResting) RunRound();
}

int Acceptor::FillRound() {
  const size_t room = sink_->Room();
  // Failed tries count, too: a queue of broken connections must not keep the thread.
  for (size_t tries = 0; tries < kMaxRound; ++tries) {
    // Without a look into the backlog, which may be empty: that would take a connection out of it.
    if (round_.size() >= room) return EMFILE;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    UniqueFd fd(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.is_open()) {
      round_.push_back(Accepted{std::move(fd), listener_, PeerAddressFrom(peer), loop_->now_us()});
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return 0;
    // EMFILE, ENFILE, ENOBUFS, ENOMEM; and whatever else there may be, since epoll would tell of it
    // without end.
    if (!ConcernsOneConnection(error)) return error;
  }
  return 0;
}

void Acceptor::RunRound() {
  round_.clear();
  const int error = FillRound();
  if (!round_.empty()) HandOver();
  // The sink may have paused or stopped this.
  if (state_ != State::kPolling && state_ != State::kResting) return;
  if (error != 0) {
    Rest(error);
  } else if (state_ == State::kResting) {
    Poll();
  }
}

void Acceptor::HandOver() {
  is_in_round_ = true;
  sink_->OnAccepted(round_.data(), round_.size());
  is_in_round_ = false;
  round_.clear();
}

void Acceptor::Rest(int error_number) {
  if (state_ == State::kPolling) loop_->Unwatch(socket_.get());
  state_ = State::kResting;
  loop_->timers().Arm(this, loop_->now_ms() + kShortageMs);
  TellShortage(error_number);
}

void Acceptor::Poll() {
  const int error = loop_->Watch(socket_.get(), EPOLLIN, this);
  if (error != 0) {
    Rest(error);  // ENOSPC or ENOMEM: a shortage like the others
    return;
  }
  state_ = State::kPolling;
  TellShortage(0);
}

void Acceptor::TellShortage(int error_number) {
  const bool is_short = error_number != 0;
  if (is_short == is_shortage_told_) return;
  is_shortage_told_ = is_short;
  sink_->OnShortage(error_number);
}

int AcceptorGroup::Add(int32_t listener, ListeningSocket socket) {
  if (is_stopped_) return 0;
  auto started = Acceptor::Start(loop_, listener, std::move(socket), this);
  if (!started) return started.error().number;
  if (is_paused_) started.value()->Pause();
  acceptors_.push_back(std::move(started.value()));
  Retire(listener, acceptors_.size() - 1);
  return 0;
}

void AcceptorGroup::Remove(int32_t listener) {
  Retire(listener, acceptors_.size());
}

void AcceptorGroup::Retire(int32_t listener, size_t end) {
  if (calls_ == 0) retired_.clear();
  // The sink may add, remove or stop from within the last rounds: nothing is looked at twice.
  std::vector<std::unique_ptr<Acceptor>> last;
  for (size_t index = std::min(end, acceptors_.size()); index-- > 0;) {
    if (acceptors_[index]->listener() != listener) continue;
    last.push_back(std::move(acceptors_[index]));
    acceptors_.erase(acceptors_.begin() + static_cast<ptrdiff_t>(index));
  }
  for (std::unique_ptr<Acceptor>& acceptor : last) {
    acceptor->Finish();
    if (acceptor->is_short()) OnShortage(0);
    retired_.push_back(std::move(acceptor));
  }
  if (calls_ == 0) retired_.clear();
}

void AcceptorGroup::Pause() {
  if (std::exchange(is_paused_, true)) return;
  for (const auto& acceptor : acceptors_)
    acceptor->Pause();
}

void AcceptorGroup::Resume() {
  if (!std::exchange(is_paused_, false)) return;
  // The sink may hear of a shortage from here, and add, pause or stop.
  for (size_t index = 0; index < acceptors_.size() && !is_paused_; ++index)
    acceptors_[index]->Resume();
}

void AcceptorGroup::Stop() {
  is_stopped_ = true;
  for (const auto& acceptor : acceptors_)
    acceptor->Stop();
}

void AcceptorGroup::OnAccepted(Accepted* accepted, size_t count) {
  ++calls_;
  sink_->OnAccepted(accepted, count);
  --calls_;
}

void AcceptorGroup::OnShortage(int error_number) {
  const size_t before = short_acceptors_;
  short_acceptors_ += error_number != 0 ? 1 : size_t{0} - 1;
  if (before != 0 && short_acceptors_ != 0) return;
  ++calls_;
  sink_->OnShortage(error_number);
  --calls_;
}

}  // namespace sluice::l4
