// What a user of a session is subscribed to, and what it has been given of it: the memory that a new link is set up
// from.
//
// Pure; belongs to one session. Before the first SUB it holds no memory, and little when it is empty again. Pointers
// that it gives out are valid until the next change.
//
//   if (subscriptions.add(f.sid, f.subject, f.queue) == Subscriptions::Added::added) link.write(f.raw);
//   switch (subscriptions.count(frame.sid)) { … }   // on each message that the user is given
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::session {

struct Subscription {
  using Serial = std::uint64_t;  // 1, 2, … in order of SUB, never used again in a session

  std::string sid;
  std::string subject;
  std::string queue;            // empty: a plain subscription
  std::uint64_t delivered = 0;  // messages given to the user since SUB
  std::uint64_t max = 0;        // UNSUB's limit, counted from SUB as nats-server does; 0: none
  Serial serial = 0;
  // Of `delivered`, what the live link did not bring: its server counts from the SUB on that link. Signed, since a link
  // may also have brought copies that the user was not given.
  std::int64_t elsewhere = 0;
  std::uint64_t on_new_link = 0;  // brought by the new link since its SUB, while a splice lasts

  // What UNSUB has to say on the live link so that the user gets `max` in all. Only with a max.
  [[nodiscard]] std::uint64_t limit_on_link() const {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(max) - elsewhere);
  }
};

class Subscriptions {
 public:
  enum class Added : std::uint8_t { added, duplicate, full };       // duplicate: ignored, as nats-server does
  enum class Limited : std::uint8_t { unknown, limited, removed };  // removed: it had its max already
  enum class Counted : std::uint8_t {
    unknown,  // not to be given to the user
    given,
    last,  // given, and removed with it: its max is reached
  };

  static constexpr std::size_t kDefaultLimit = std::size_t{1} << 20U;
  explicit Subscriptions(std::size_t limit = kDefaultLimit) : limit_(limit) {}

  Added add(std::string_view sid, std::string_view subject, std::string_view queue);
  // UNSUB sid. Whether there was one.
  bool remove(std::string_view sid);
  // UNSUB sid max, with max > 0.
  Limited limit(std::string_view sid, std::uint64_t max);

  // One message for the user. The hot path.
  Counted count(std::string_view sid);

  [[nodiscard]] const Subscription* find(std::string_view sid) const;
  [[nodiscard]] Subscription* find(std::string_view sid);
  [[nodiscard]] const Subscription* find(Subscription::Serial serial) const;
  [[nodiscard]] std::size_t size() const { return live_; }
  [[nodiscard]] bool empty() const { return live_ == 0; }
  // Of the latest SUB; 0: none yet.
  [[nodiscard]] Subscription::Serial last_serial() const { return last_serial_; }
  [[nodiscard]] bool has_queues() const { return queues_ != 0; }

  // Calls f(const Subscription&) in the order of SUB. f must not change the registry.
  template <class F>
  void for_each(F&& f) const {
    for (const Entry& entry : entries_) {
      if (entry.live) f(static_cast<const Subscription&>(entry));
    }
  }
  template <class F>
  void for_each(F&& f) {
    for (Entry& entry : entries_) {
      if (entry.live) f(static_cast<Subscription&>(entry));
    }
  }

  // Everything is being subscribed anew on a link that takes over after a disconnect (no splice).
  void link_restarted();
  // UNSUB of everything, at the end of a session.
  void clear();

 private:
  using Slot = std::uint32_t;
  struct Entry : Subscription {
    std::uint64_t key = 0;  // of its sid
    bool live = true;       // a removed one keeps its place until the next rebuild
  };

  [[nodiscard]] Slot lookup(std::string_view sid) const;
  void insert(Slot entry);
  void erase(Slot entry);
  void rebuild(std::size_t buckets);

  std::vector<Entry> entries_;  // in order of SUB
  std::vector<Slot> buckets_;   // index into entries_ + 1; 0: free
  std::size_t limit_;
  std::size_t live_ = 0;
  std::size_t queues_ = 0;
  Subscription::Serial last_serial_ = 0;
};

}  // namespace hawser::session
