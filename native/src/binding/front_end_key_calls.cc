// The methods of `FrontEnd` that are about keys of requests.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/front_end_wrap.h"

namespace sluice::binding {

namespace {

constexpr size_t kKeyWords = 2;

/// The memory of two words. @returns nullptr after throwing a TypeError
int32_t* ReadKeyWords(napi_env env, napi_value value, const char* what) {
  bool is_typed_array = false;
  napi_is_typedarray(env, value, &is_typed_array);
  napi_typedarray_type type = napi_uint8_array;
  size_t words = 0;
  void* data = nullptr;
  if (is_typed_array &&
      napi_get_typedarray_info(env, value, &type, &words, &data, nullptr, nullptr) == napi_ok &&
      type == napi_int32_array && words >= kKeyWords) {
    return static_cast<int32_t*>(data);
  }
  ThrowTypeError(env, std::string(what) + " must be an Int32Array of two words");
  return nullptr;
}

void PutHash(uint64_t hash, int32_t* words) {
  words[0] = static_cast<int32_t>(static_cast<uint32_t>(hash));
  words[1] = static_cast<int32_t>(static_cast<uint32_t>(hash >> 32));
}

}  // namespace

bool FrontEndWrap::TakeKeyWords(Napi::Value value) {
  if (value.IsUndefined()) return true;
  key_words_ = ReadKeyWords(Env(), value, "FrontEnd: keyWords");
  return key_words_ != nullptr;
}

Napi::Value FrontEndWrap::OpenKey(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto kind = ReadInteger(env, info[0], "openKey: kind", 0, frontend::kMostKeyKind);
  if (!kind) return {};
  auto name = ReadLatin1(env, info[1], "openKey: name");
  if (!name) return {};
  const auto is_crc = ReadBoolean(env, info[2], "openKey: isCrc");
  if (!is_crc) return {};
  frontend::KeySource source{static_cast<frontend::KeyKind>(*kind), *is_crc, std::move(*name)};
  const int32_t key = front_end_->OpenKey(std::move(source));
  if (key < 0) ThrowError(env, "openKey: too many keys");
  return Napi::Number::New(env, key);
}

bool FrontEndWrap::ReadKeyCall(const Napi::CallbackInfo& info, int32_t* exchange,
                               int32_t* key) const {
  const auto number = ReadInteger(info.Env(), info[0], "exchange", frontend::kFirstExchange,
                                  upstream::kMaxExchanges - 1);
  if (!number) return false;
  const auto opened = static_cast<int64_t>(front_end_->keys());
  const auto place = ReadInteger(info.Env(), info[1], "key", 0, opened - 1);
  if (!place) return false;
  *exchange = static_cast<int32_t>(*number);
  *key = static_cast<int32_t>(*place);
  return true;
}

Napi::Value FrontEndWrap::HashKey(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int32_t exchange = 0;
  int32_t key = 0;
  if (!ReadKeyCall(info, &exchange, &key)) return {};
  if (key_words_ == nullptr) {
    ThrowError(env, "hashKey: the front end was made without keyWords");
    return {};
  }
  uint64_t hash = 0;
  const int32_t answer = front_end_->HashKey(exchange, key, &hash);
  if ((answer & frontend::key_answer::kHashed) != 0) PutHash(hash, key_words_);
  return Napi::Number::New(env, answer);
}

Napi::Value FrontEndWrap::KeyText(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int32_t exchange = 0;
  int32_t key = 0;
  if (!ReadKeyCall(info, &exchange, &key)) return {};
  const std::optional<std::string> text = front_end_->KeyText(exchange, key);
  if (!text) return env.Null();
  napi_value value = nullptr;
  napi_create_string_latin1(env, text->data(), text->size(), &value);
  return {env, value};
}

}  // namespace sluice::binding
