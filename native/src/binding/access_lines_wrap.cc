// The class `AccessLines` that JavaScript sees.
#include "binding/access_lines_wrap.h"

#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/loop_callback.h"

namespace sluice::binding {

namespace {

constexpr int64_t kMostLimit = 1 << 20;
/// Tells objects of this class from others.
constexpr napi_type_tag kTypeTag = {0x6c0e4f0a9d2b4d1f, 0xb5a6f3c7e8d90412};

/// The memory of a typed array. @returns nothing after throwing a TypeError that names `what`
std::optional<std::pair<void*, size_t>> ReadArray(napi_env env, napi_value value,
                                                  napi_typedarray_type wanted, const char* what) {
  bool is_typed_array = false;
  napi_is_typedarray(env, value, &is_typed_array);
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (is_typed_array &&
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok &&
      type == wanted) {
    return std::pair(data, length);
  }
  ThrowTypeError(env, std::string("AccessLines: ") + what + " must be a typed array of its kind");
  return std::nullopt;
}

std::optional<std::vector<log::AccessField>> ReadFields(Napi::Env env, Napi::Value value) {
  if (!value.IsArray()) {
    ThrowTypeError(env, "AccessLines: fields must be an array");
    return std::nullopt;
  }
  const auto array = value.As<Napi::Array>();
  std::vector<log::AccessField> fields;
  for (uint32_t place = 0; place < array.Length(); ++place) {
    const auto field = ReadInteger(env, array.Get(place), "AccessLines: fields", 0,
                                   static_cast<int64_t>(log::kAccessFields) - 1);
    if (!field) return std::nullopt;
    fields.push_back(static_cast<log::AccessField>(*field));
  }
  return fields;
}

}  // namespace

int64_t WallClockMs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

Napi::Function AccessLinesWrap::Define(Napi::Env env) {
  return DefineClass(env, "AccessLines",
                     {
                         InstanceMethod<&AccessLinesWrap::OpenText>("openText"),
                         InstanceMethod<&AccessLinesWrap::Write>("write"),
                     });
}

std::shared_ptr<log::AccessLines> AccessLinesWrap::LinesOf(Napi::Env env, Napi::Value value) {
  bool is_tagged = false;
  if (!value.IsObject() ||
      napi_check_object_type_tag(env, value, &kTypeTag, &is_tagged) != napi_ok || !is_tagged) {
    return nullptr;
  }
  return Unwrap(value.As<Napi::Object>())->lines_;
}

AccessLinesWrap::AccessLinesWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Start(info);
}

void AccessLinesWrap::Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return ThrowTypeError(env, "AccessLines: options are missing");
  const auto options = info[0].As<Napi::Object>();
  auto fields = ReadFields(env, options.Get("fields"));
  if (!fields) return;
  const Napi::Value facts_array = options.Get("facts");
  const auto facts = ReadArray(env, facts_array, napi_float64_array, "facts");
  if (!facts) return;
  if (facts->second < log::kAccessFacts) {
    return ThrowTypeError(
        env, "AccessLines: facts must have " + std::to_string(log::kAccessFacts) + " words");
  }
  const Napi::Value texts_array = options.Get("texts");
  const auto texts = ReadArray(env, texts_array, napi_uint8_array, "texts");
  if (!texts) return;
  const Napi::Value buffers = options.Get("buffers");
  if (!buffers.IsArray() || buffers.As<Napi::Array>().Length() != 2)
    return ThrowTypeError(env, "AccessLines: buffers must be two arrays");
  log::AccessMemory memory;
  memory.facts = static_cast<const double*>(facts->first);
  memory.texts = static_cast<const char*>(texts->first);
  memory.texts_bytes = texts->second;
  for (uint32_t place = 0; place < 2; ++place) {
    const auto buffer =
        ReadArray(env, buffers.As<Napi::Array>().Get(place), napi_uint8_array, "a buffer");
    if (!buffer) return;
    memory.buffers[place] = static_cast<char*>(buffer->first);
    memory.buffer_bytes[place] = buffer->second;
  }
  const auto target_bytes =
      ReadInteger(env, options.Get("targetBytes"), "AccessLines: targetBytes", 1, kMostLimit);
  if (!target_bytes) return;
  const auto text_bytes =
      ReadInteger(env, options.Get("textBytes"), "AccessLines: textBytes", 1, kMostLimit);
  if (!text_bytes) return;
  const auto self = info.This().As<Napi::Object>();
  Hide(self, "options", options);
  Hide(self, "facts", facts_array);
  Hide(self, "texts", texts_array);
  Hide(self, "buffer0", buffers.As<Napi::Array>().Get(uint32_t{0}));
  Hide(self, "buffer1", buffers.As<Napi::Array>().Get(uint32_t{1}));
  lines_ = std::make_shared<log::AccessLines>(
      std::move(*fields), memory,
      log::AccessLimits{static_cast<size_t>(*target_bytes), static_cast<size_t>(*text_bytes)});
  napi_type_tag_object(env, self, &kTypeTag);
}

Napi::Value AccessLinesWrap::OpenText(const Napi::CallbackInfo& info) {
  const auto text = ReadUtf8(info.Env(), info[0], "openText: text");
  if (!text) return {};
  return Napi::Number::New(info.Env(), lines_->OpenText(*text));
}

Napi::Value AccessLinesWrap::Write(const Napi::CallbackInfo& info) {
  const int64_t end = lines_->Write({}, WallClockMs());
  return Napi::Number::New(info.Env(), static_cast<double>(end));
}

}  // namespace sluice::binding
