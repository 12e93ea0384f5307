// Calls JavaScript functions out of the loop.
#include "binding/loop_callback.h"

namespace sluice::binding {

namespace {

// A terminated worker makes a call fail with no exception to speak of. Around the function,
// whatever it throws is something, so that both can be told apart.
constexpr const char* kGuardScript =
    "(function (called, name) { 'use strict'; return function deliver(number) {"
    " try { called(number); } catch (error) {"
    " throw error ?? new Error(`${name} threw ${error}`); } }; })";

}  // namespace

void Hide(Napi::Object object, const char* name, Napi::Value value) {
  object.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_default));
}

LoopCallback::~LoopCallback() {
  if (function_ != nullptr) napi_delete_reference(env_, function_);
  if (async_context_ != nullptr) napi_async_destroy(env_, async_context_);
}

bool LoopCallback::Bind(Napi::Object owner, const char* name, Napi::Function function,
                        const char* resource) {
  const Napi::Env env = owner.Env();
  const Napi::Value guard = env.RunScript(kGuardScript);
  if (guard.IsEmpty()) return false;
  const Napi::Value guarded =
      guard.As<Napi::Function>().Call({function, Napi::String::New(env, name)});
  if (guarded.IsEmpty()) return false;
  Hide(owner, name, guarded);
  // While the function runs, its owner is reachable: what it calls may let go of everything else.
  Hide(guarded.As<Napi::Object>(), "owner", owner);
  env_ = env;
  return napi_create_reference(env, guarded, 0, &function_) == napi_ok &&
         napi_async_init(env, nullptr, Napi::String::New(env, resource), &async_context_) ==
             napi_ok;
}

void LoopCallback::Call(int32_t argument, LoopDriver* driver) {
  napi_handle_scope handles = nullptr;
  if (napi_open_handle_scope(env_, &handles) != napi_ok) return;
  napi_value function = nullptr;
  napi_get_reference_value(env_, function_, &function);
  napi_callback_scope callbacks = nullptr;
  if (function != nullptr &&
      napi_open_callback_scope(env_, nullptr, async_context_, &callbacks) == napi_ok) {
    napi_value receiver = nullptr;
    napi_value number = nullptr;
    napi_get_undefined(env_, &receiver);
    napi_create_int32(env_, argument, &number);
    if (napi_call_function(env_, receiver, function, 1, &number, nullptr) != napi_ok) {
      if (driver != nullptr) driver->LeaveSoon();
      napi_value exception = nullptr;
      napi_valuetype type = napi_undefined;
      napi_get_and_clear_last_exception(env_, &exception);
      if (exception != nullptr) napi_typeof(env_, exception, &type);
      // Nothing, or null: the thread is being terminated, and libuv's loop is about to be told.
      if (type != napi_undefined && type != napi_null) napi_fatal_exception(env_, exception);
    }
    napi_close_callback_scope(env_, callbacks);
  }
  napi_close_handle_scope(env_, handles);
}

}  // namespace sluice::binding
