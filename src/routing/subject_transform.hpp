// Renames subjects: a source pattern, and a destination that says where its wildcards' tokens go; nats-server's syntax.
//
//   foo.*.*  ->  bar.$2.{{wildcard(1)}}          $N and wildcard(N): the token of the Nth `*`
//   {{partition(n,1,2)}}                         a number below n that depends on these tokens
//   {{split(1,-)}}                               the token, split at each "-"
//   {{splitFromLeft(1,3)}} {{splitFromRight(1,3)}} {{sliceFromLeft(1,3)}} {{sliceFromRight(1,3)}} {{left(1,3)}}
//   {{right(1,3)}} foo.>    ->  bar.>                           the rest stays
//
// Immutable, and safe from any thread. Names of functions may be in any case.
//
//   auto transform = SubjectTransform::make("foo.*", "bar.$1");  transform->apply("foo.x")   // "bar.x"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::routing {

class SubjectTransform {
 public:
  enum class Use : std::uint8_t {
    mapping,     // anything
    reversible,  // imports: every wildcard of the source exactly once, and nothing but that
  };
  [[nodiscard]] static Result<SubjectTransform> make(std::string_view source, std::string_view destination,
                                                     Use use = Use::mapping);

  [[nodiscard]] bool matches(std::string_view subject) const noexcept;
  // Of a subject that matches. A pattern that is narrower than the source is transformed likewise.
  void append(std::string& to, std::string_view subject) const;
  [[nodiscard]] std::string apply(std::string_view subject) const;

  // The way back: reverse().apply(apply(s)) == s. Fails unless the transform is reversible.
  [[nodiscard]] Result<SubjectTransform> reverse() const;

  [[nodiscard]] const std::string& source() const noexcept { return source_; }
  [[nodiscard]] const std::string& destination() const noexcept { return destination_; }
  // The destination as a pattern: "bar.*.*" of "bar.$2.$1". Meaningful for a reversible one.
  [[nodiscard]] std::string destination_pattern() const;

  enum class Kind : std::uint8_t {
    text,
    rest,  // `>`
    wildcard,
    partition,
    split,
    split_from_left,
    split_from_right,
    slice_from_left,
    slice_from_right,
    left,
    right,
  };
  // One token of a destination.
  struct Piece {
    Kind kind = Kind::text;
    std::string text{};                   // or what a split splits at
    std::vector<std::uint32_t> tokens{};  // of the source, from 0; as parsed, numbers of wildcards, from 1
    std::int32_t number = 0;              // partitions, a position or a size
  };

 private:
  SubjectTransform() = default;
  static void append_piece(std::string& to, const Piece& piece, std::string_view subject);

  std::string source_;
  std::string destination_;
  std::vector<Piece> pieces_;
  std::size_t source_tokens_ = 0;
};

}  // namespace hawser::routing
