// Shares out accepted connections, and takes back what a worker leaves lying.
#include "l4/distributor.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace sluice::l4 {

Distributor::Distributor(EventLoop* loop, ShortageSink* shortage_sink, size_t max_open)
    : loop_(loop),
      shortage_sink_(shortage_sink),
      max_open_(max_open),
      acceptors_(loop, static_cast<AcceptedSink*>(this)) {
  acceptors_.Pause();
}

int Distributor::Listen(int32_t listener, ListeningSocket socket) {
  return acceptors_.Add(listener, std::move(socket));
}

void Distributor::CloseListener(int32_t listener) {
  acceptors_.Remove(listener);
}

bool Distributor::AddWorker(int32_t mailbox) {
  if (is_closed_) return true;
  const bool is_known = std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return worker.mailbox->number() == mailbox;
  });
  if (is_known) return true;
  auto found = Mailbox::Find(mailbox);
  if (found == nullptr) return false;
  workers_.push_back(Worker{std::move(found), {}, 0});
  ShareOut();
  if (!workers_.empty()) acceptors_.Resume();
  return true;
}

void Distributor::RemoveWorker(int32_t mailbox) {
  for (size_t index = 0; index < workers_.size(); ++index) {
    if (workers_[index].mailbox->number() != mailbox) continue;
    Drop(index);
    ShareOut();
    return;
  }
}

void Distributor::Close() {
  is_closed_ = true;
  acceptors_.Stop();
  loop_->timers().Cancel(this);
  workers_.clear();
  waiting_.clear();
}

std::vector<int32_t> Distributor::open() const {
  std::vector<int32_t> open;
  for (const Worker& worker : workers_)
    open.push_back(worker.mailbox->open());
  return open;
}

void Distributor::OnAccepted(Accepted* accepted, size_t count) {
  accepted_ += count;
  waiting_.insert(waiting_.end(), std::make_move_iterator(accepted),
                  std::make_move_iterator(accepted + count));
  ShareOut();
}

void Distributor::OnShortage(int error_number) {
  shortage_sink_->OnShortage(error_number);
}

size_t Distributor::Room() const {
  if (max_open_ == SIZE_MAX) return SIZE_MAX;
  size_t open = waiting_.size();
  for (const Worker& worker : workers_)
    open += static_cast<size_t>(worker.mailbox->open());
  return open < max_open_ ? max_open_ - open : 0;
}

bool Distributor::IsStalled(const Mailbox& mailbox) const {
  const uint64_t since_us = mailbox.unread_since_us();
  return mailbox.is_missed() || (since_us != 0 && loop_->now_us() >= since_us + kStalledMs * 1000);
}

void Distributor::OnTimer(uint64_t /*now_ms*/) {
  // A worker that has left without the primary having said so: it may be busy for long.
  for (size_t index = workers_.size(); index-- > 0;) {
    if (workers_[index].mailbox->is_closed()) Drop(index);
  }
  const auto stalled = [this](const Worker& worker) { return IsStalled(*worker.mailbox); };
  // Where none of them reads, the mail lies well where it is.
  if (!std::all_of(workers_.begin(), workers_.end(), stalled)) {
    for (Worker& worker : workers_) {
      if (!stalled(worker)) continue;
      std::vector<Accepted> unread = worker.mailbox->Recall();
      std::move(unread.begin(), unread.end(), std::back_inserter(waiting_));
    }
  }
  ShareOut();
  WatchMail();
}

void Distributor::WatchMail() {
  if (is_armed()) return;
  const bool is_unread = std::any_of(workers_.begin(), workers_.end(), [](const Worker& worker) {
    return worker.mailbox->unread_since_us() != 0;
  });
  // One more: the mail was put in after the loop has read the clock, and now_ms is cut off.
  if (is_unread) loop_->timers().Arm(this, loop_->now_ms() + kStalledMs + 1);
}

void Distributor::ShareOut() {
  // Again where a worker turns out to have gone: its share, and its mail, are for the others.
  while (!waiting_.empty() && !workers_.empty()) {
    for (Worker& worker : workers_) {
      worker.open = worker.mailbox->open();
      worker.is_stalled = IsStalled(*worker.mailbox);
    }
    for (Accepted& accepted : waiting_)
      NextWorker().share.push_back(std::move(accepted));
    waiting_.clear();
    for (size_t index = workers_.size(); index-- > 0;) {
      Worker& worker = workers_[index];
      if (worker.share.empty()) continue;
      if (worker.mailbox->Put(worker.share.data(), worker.share.size())) {
        worker.share.clear();
      } else {
        Drop(index);
      }
    }
    WatchMail();
  }
  if (workers_.empty()) acceptors_.Pause();
}

Distributor::Worker& Distributor::NextWorker() {
  size_t fewest = next_;
  for (size_t step = 1; step < workers_.size(); ++step) {
    const size_t index = (next_ + step) % workers_.size();
    const Worker& worker = workers_[index];
    const Worker& best = workers_[fewest];
    if (std::tie(worker.is_stalled, worker.open) < std::tie(best.is_stalled, best.open)) {
      fewest = index;
    }
  }
  next_ = (fewest + 1) % workers_.size();
  ++workers_[fewest].open;
  return workers_[fewest];
}

void Distributor::Drop(size_t index) {
  Worker worker = std::move(workers_[index]);
  workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(index));
  if (next_ > index) --next_;
  if (next_ >= workers_.size()) next_ = 0;
  std::vector<Accepted> unread = worker.mailbox->CloseAndTake();
  // The unread ones were accepted before the share: they go first.
  std::move(unread.begin(), unread.end(), std::back_inserter(waiting_));
  std::move(worker.share.begin(), worker.share.end(), std::back_inserter(waiting_));
}

}  // namespace sluice::l4
