// Reads the fields of an object of JavaScript.
#include "binding/field_reader.h"

#include "binding/errors.h"

namespace sluice::binding {

std::optional<Napi::Object> ReadObject(Napi::Env env, Napi::Value value, const char* what) {
  if (value.IsObject()) return value.As<Napi::Object>();
  ThrowTypeError(env, std::string(what) + " must be an object");
  return std::nullopt;
}

FieldReader& FieldReader::Boolean(const char* name, bool* place) {
  if (!is_well_) return *this;
  const std::string what = prefix_ + name;
  const auto read = ReadBoolean(env_, object_.Get(name), what.c_str());
  if (read) *place = *read;
  is_well_ = read.has_value();
  return *this;
}

FieldReader& FieldReader::Text(const char* name, std::string* place) {
  if (!is_well_) return *this;
  const std::string what = prefix_ + name;
  auto read = ReadLatin1(env_, object_.Get(name), what.c_str());
  is_well_ = read.has_value();
  if (read) *place = std::move(*read);
  return *this;
}

FieldReader& FieldReader::KeepAliveField(const char* name, KeepAlive* place) {
  if (!is_well_) return *this;
  const auto object = ReadObject(env_, object_.Get(name), name);
  is_well_ = object.has_value();
  if (!object) return *this;
  FieldReader inner(env_, *object, std::string(name) + ".");
  inner.Integer("idleS", 0, kMaxKeepAliveS, &place->idle_s);
  if (place->idle_s > 0) {
    inner.Integer("intervalS", 1, kMaxKeepAliveS, &place->interval_s)
        .Integer("probes", 1, kMaxKeepAliveProbes, &place->probes);
  }
  is_well_ = inner.is_well_;
  return *this;
}

}  // namespace sluice::binding
