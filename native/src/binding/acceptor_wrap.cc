// The class `Acceptor` that JavaScript sees.
#include "binding/acceptor_wrap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/listening_calls.h"
#include "binding/session_arguments.h"

namespace sluice::binding {

namespace {

std::optional<int32_t> ReadMailbox(const Napi::CallbackInfo& info) {
  const auto number = ReadInteger(info.Env(), info[0], "mailbox", 1, INT32_MAX);
  if (!number) return std::nullopt;
  return static_cast<int32_t>(*number);
}

}  // namespace

Napi::Function AcceptorWrap::Define(Napi::Env env) {
  return DefineClass(env, "Acceptor",
                     {
                         InstanceMethod<&AcceptorWrap::Listen>("listen"),
                         InstanceMethod<&AcceptorWrap::CloseListener>("closeListener"),
                         InstanceMethod<&AcceptorWrap::AddWorker>("addWorker"),
                         InstanceMethod<&AcceptorWrap::RemoveWorker>("removeWorker"),
                         InstanceMethod<&AcceptorWrap::Stats>("stats"),
                         InstanceMethod<&AcceptorWrap::Close>("close"),
                     });
}

AcceptorWrap::AcceptorWrap(const Napi::CallbackInfo& info) : LoopObject(info) {
  Start(info);
}

void AcceptorWrap::Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return ThrowTypeError(env, "Acceptor: options are missing");
  const auto options = info[0].As<Napi::Object>();
  const Napi::Value on_shortage = options.Get("onShortage");
  if (!on_shortage.IsFunction()) {
    return ThrowTypeError(env, "Acceptor: onShortage must be a function");
  }
  const auto max_open =
      ReadOptionalCount(env, options.Get("maxOpen"), "Acceptor: maxOpen", SIZE_MAX);
  if (!max_open) return;
  if (!on_shortage_.Bind(info.This().As<Napi::Object>(), "onShortage",
                         on_shortage.As<Napi::Function>(), "sluice.Acceptor")) {
    return;
  }
  LoopDriver* const driver = LoopDriver::For(env);
  if (driver == nullptr) return;
  auto started = l4::AcceptorThread::Start(*max_open);
  if (!started) return ThrowSystemError(env, started.error(), "the thread that accepts");
  const int error =
      driver->loop()->Watch(started.value()->news_fd(), EPOLLIN, static_cast<Pollable*>(this));
  if (error != 0) return ThrowSystemError(env, {error, "epoll_ctl"}, "the thread that accepts");
  thread_ = std::move(started.value());
  loop_ = driver->loop();
  loop_->AddTask(this);
  Join(driver);
}

AcceptorWrap::~AcceptorWrap() {
  Leave();
}

void AcceptorWrap::CloseNative() {
  if (loop_ == nullptr) return;
  loop_->Unwatch(thread_->news_fd());
  loop_->RemoveTask(this);
  loop_ = nullptr;
  is_listening_ = false;
  thread_->Close();
}

void AcceptorWrap::OnEvents(uint32_t /*epoll_events*/) {
  has_news_ = true;
}

void AcceptorWrap::OnReady() {
  if (std::exchange(has_news_, false)) thread_->TellShortages(this);
}

void AcceptorWrap::OnShortage(int error_number) {
  on_shortage_.Call(error_number, driver());
}

void AcceptorWrap::Listen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto listener = ReadListener(env, info[0]);
  if (!listener) return;
  const auto descriptor = ReadDescriptor(env, info[1]);
  if (!descriptor) return;
  if (thread_->is_closed()) return ThrowError(env, "listen: the acceptor is closed");
  const std::string about = "descriptor " + std::to_string(*descriptor);
  auto socket = l4::ListeningSocket::Duplicate(*descriptor);
  if (!socket) return ThrowListeningError(env, socket.error(), about);
  const int error = thread_->Listen(*listener, std::move(socket.value()));
  if (error != 0) return ThrowListeningError(env, {error, "epoll_ctl"}, about);
  is_listening_ = true;
  UpdateReference();
}

void AcceptorWrap::CloseListener(const Napi::CallbackInfo& info) {
  if (const auto listener = ReadListener(info.Env(), info[0])) thread_->CloseListener(*listener);
}

void AcceptorWrap::AddWorker(const Napi::CallbackInfo& info) {
  // A worker may have ended before its number arrives here: then there is nothing to add.
  if (const auto mailbox = ReadMailbox(info)) (void)thread_->AddWorker(*mailbox);
}

void AcceptorWrap::RemoveWorker(const Napi::CallbackInfo& info) {
  if (const auto mailbox = ReadMailbox(info)) thread_->RemoveWorker(*mailbox);
}

Napi::Value AcceptorWrap::Stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto object = Napi::Object::New(env);
  const l4::AcceptorThread::Stats stats = thread_->stats();
  object.Set("accepted", Napi::Number::New(env, static_cast<double>(stats.accepted)));
  const auto open = Napi::Array::New(env);
  for (const int32_t connections : stats.open)
    open.Set(open.Length(), Napi::Number::New(env, connections));
  object.Set("open", open);
  return object;
}

void AcceptorWrap::Close(const Napi::CallbackInfo& /*info*/) {
  Leave();
}

}  // namespace sluice::binding
