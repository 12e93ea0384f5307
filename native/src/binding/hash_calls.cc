// Reads keys and the members of tables for the hashes of native/src/hash.
#include "binding/hash_calls.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "hash/crc32.h"
#include "hash/ketama.h"
#include "hash/maglev.h"
#include "hash/xxhash64.h"

namespace sluice::binding {

namespace {

/// Keys up to this are read onto the stack: longer than any address, id or usual cookie.
constexpr size_t kStackKeyBytes = 256;
/// Rings beyond this do not fit on any board (MOST_HASH_TABLE_WORDS of src/board/capacities.ts).
constexpr int64_t kMostPoints = 1 << 18;
/// The number of an entry's words is small enough for all arithmetic of 32 bits.
constexpr int64_t kMostEntries = 1 << 24;
/// Low and high 32 bits of a hash.
constexpr size_t kHashWords = 2;

template <size_t kCount>
using Arguments = std::array<napi_value, kCount>;

/// Those that the caller left out are undefined.
template <size_t kCount>
Arguments<kCount> ArgumentsOf(napi_env env, napi_callback_info info) {
  Arguments<kCount> arguments{};
  size_t count = kCount;
  napi_get_cb_info(env, info, &count, arguments.data(), nullptr, nullptr);
  return arguments;
}

/// Reads the characters of a string as bytes and gives them to `use`: in one call and without the
/// heap where they are few. N-API offers no view of a string of V8, so they are copied once.
/// HOT (bench/micro/hash/hash-text.bench.ts).
/// @returns false after throwing
template <typename Use>
bool WithText(napi_env env, napi_value value, const char* what, Use use) {
  std::array<char, kStackKeyBytes + 1> buffer;  // not cleared: it is written before it is read
  size_t length = 0;
  if (napi_get_value_string_latin1(env, value, buffer.data(), buffer.size(), &length) != napi_ok) {
    ThrowTypeError(env, std::string(what) + " must be a string");
    return false;
  }
  if (length < kStackKeyBytes) {
    use(std::string_view(buffer.data(), length));
    return true;
  }
  // Perhaps cut off.
  napi_get_value_string_latin1(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_latin1(env, value, text.data(), length + 1, &length);
  use(std::string_view(text));
  return true;
}

/// The elements of a typed array; valid until JavaScript runs.
/// @returns nothing after throwing
template <typename Element>
std::optional<std::span<Element>> ReadElements(napi_env env, napi_value value,
                                               napi_typedarray_type wanted, const char* what,
                                               const char* type_name) {
  bool is_typed_array = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  napi_is_typedarray(env, value, &is_typed_array);
  if (is_typed_array &&
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok &&
      type == wanted) {
    return std::span<Element>(static_cast<Element*>(data), length);
  }
  ThrowTypeError(env, std::string(what) + " must be " + type_name);
  return std::nullopt;
}

void WriteHash(napi_env env, napi_value into, uint64_t hash) {
  const auto words =
      ReadElements<int32_t>(env, into, napi_int32_array, "hash: words", "an Int32Array");
  if (!words) return;
  if (words->size() < kHashWords) {
    ThrowRangeError(env, "hash: words must have room for 2");
    return;
  }
  (*words)[0] = static_cast<int32_t>(hash);
  (*words)[1] = static_cast<int32_t>(hash >> 32);
}

napi_value HashTextCall(napi_env env, napi_callback_info info) {
  const auto [text, words] = ArgumentsOf<2>(env, info);
  uint64_t hash = 0;
  if (WithText(env, text, "hashText: text",
               [&hash](std::string_view bytes) { hash = hash::XxHash64(bytes); })) {
    WriteHash(env, words, hash);
  }
  return nullptr;
}

napi_value HashBytesCall(napi_env env, napi_callback_info info) {
  const auto [value, words] = ArgumentsOf<2>(env, info);
  const auto bytes = ReadBytes(env, value, "hashBytes: bytes");
  if (bytes) WriteHash(env, words, hash::XxHash64(*bytes));
  return nullptr;
}

napi_value Crc32TextCall(napi_env env, napi_callback_info info) {
  const auto [text] = ArgumentsOf<1>(env, info);
  uint32_t crc = 0;
  if (!WithText(env, text, "crc32Text: text",
                [&crc](std::string_view bytes) { crc = hash::Crc32(bytes); })) {
    return nullptr;
  }
  napi_value result = nullptr;
  napi_create_uint32(env, crc, &result);
  return result;
}

/// Members with the names that they point to; a move leaves the texts where they are.
struct ReadMembers {
  std::vector<std::string> names;
  std::vector<hash::Member> members;
};

/// @returns nothing after throwing
std::optional<ReadMembers> MembersOf(Napi::Env env, napi_value names, napi_value slots,
                                     napi_value weights) {
  const Napi::Value list(env, names);
  if (!list.IsArray()) {
    ThrowTypeError(env, "names must be an array of strings");
    return std::nullopt;
  }
  const auto array = list.As<Napi::Array>();
  const size_t count = array.Length();
  std::optional<ReadMembers> read(std::in_place);
  read->names.reserve(count);
  for (size_t index = 0; index < count; ++index) {
    auto name = ReadUtf8(env, array.Get(static_cast<uint32_t>(index)), "each of names");
    if (!name) return std::nullopt;
    read->names.push_back(std::move(*name));
  }
  // After the names: reading an element may run JavaScript (a getter), which may take memory away.
  const auto slot_of =
      ReadElements<uint16_t>(env, slots, napi_uint16_array, "slots", "a Uint16Array");
  if (!slot_of) return std::nullopt;
  const auto weight_of =
      ReadElements<uint32_t>(env, weights, napi_uint32_array, "weights", "a Uint32Array");
  if (!weight_of) return std::nullopt;
  if (slot_of->size() != count || weight_of->size() != count) {
    ThrowRangeError(env, "names, slots and weights must be as many");
    return std::nullopt;
  }
  for (size_t index = 0; index < count; ++index)
    read->members.push_back({read->names[index], (*slot_of)[index], (*weight_of)[index]});
  return read;
}

/// @returns null in a thread that was ended meanwhile: nothing can be made there any more
napi_value ObjectOf(Napi::Env env, const hash::Table& table) {
  const size_t bytes = table.words.size() * sizeof(uint32_t);
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value words = nullptr;
  if (napi_create_arraybuffer(env, bytes, &data, &buffer) != napi_ok) return nullptr;
  if (bytes > 0) std::memcpy(data, table.words.data(), bytes);
  if (napi_create_typedarray(env, napi_int32_array, table.words.size(), buffer, 0, &words) !=
      napi_ok) {
    return nullptr;
  }
  const auto object = Napi::Object::New(env);
  object.Set("words", words);
  object.Set("size", Napi::Number::New(env, static_cast<double>(table.size)));
  return object;
}

napi_value BuildKetamaCall(napi_env env, napi_callback_info info) {
  const auto [names, slots, weights, room] = ArgumentsOf<4>(env, info);
  const auto most = ReadInteger(env, room, "buildKetama: mostPoints", 0, kMostPoints);
  if (!most) return nullptr;
  const auto read = MembersOf(env, names, slots, weights);
  if (!read) return nullptr;
  const auto ring = hash::BuildKetama(read->members, static_cast<size_t>(*most));
  if (!ring) {
    ThrowRangeError(env, "buildKetama: mostPoints must have room for one of each endpoint");
    return nullptr;
  }
  return ObjectOf(env, *ring);
}

napi_value BuildMaglevCall(napi_env env, napi_callback_info info) {
  const auto [names, slots, weights, room] = ArgumentsOf<4>(env, info);
  const auto entries = ReadInteger(env, room, "buildMaglev: entries", 2, kMostEntries);
  if (!entries) return nullptr;
  if (!hash::IsPrime(static_cast<size_t>(*entries))) {
    ThrowRangeError(env, "buildMaglev: entries must be a prime");
    return nullptr;
  }
  const auto read = MembersOf(env, names, slots, weights);
  if (!read) return nullptr;
  return ObjectOf(env, hash::BuildMaglev(read->members, static_cast<size_t>(*entries)));
}

}  // namespace

bool ExportHashCalls(Napi::Env env, Napi::Object exports) {
  // Plain callbacks: what wraps a call for C++ costs as much as the hash of a short key.
  const auto add = [env, &exports](const char* name, napi_callback call) {
    napi_value function = nullptr;
    return napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function) == napi_ok &&
           napi_set_named_property(env, exports, name, function) == napi_ok;
  };
  return add("hashText", HashTextCall) && add("hashBytes", HashBytesCall) &&
         add("crc32Text", Crc32TextCall) && add("buildKetama", BuildKetamaCall) &&
         add("buildMaglev", BuildMaglevCall);
}

}  // namespace sluice::binding
