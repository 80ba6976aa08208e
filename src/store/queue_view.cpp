#include "store/queue_view.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "store/owner_lock.hpp"
#include "store/recovery.hpp"
#include "wire/parser.hpp"
#include "wire/subject.hpp"

namespace hawser::store {
namespace {

constexpr std::uint64_t kReadBytes = 1UL << 20U;
constexpr std::size_t kLongestLine = 1UL << 20U;  // whoever queued it had a limit of his own

constexpr const char* kDeadColumns =
    "SELECT batch, position, client, arrived_ms, died_ms, reason, frame, id FROM dead ";

template <class T>
bool take_number(std::string_view& text, T& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return failed == std::errc{};
}

// The frame at the start of these bytes. Throws Trouble::damaged.
wire::Frame parse(std::string_view bytes) {
  wire::Parser parser(wire::Peer::client, {.control_line_bytes = kLongestLine});
  wire::Frame frame;
  if (parser.next(bytes, frame) != wire::Parser::Status::frame) {
    throw SqlFault{Trouble::damaged, "what is queued is not a whole frame"};
  }
  return frame;
}

void set_frame(QueuedMessage& message, const wire::Frame& frame) {
  message.subject = frame.subject;
  message.reply = frame.reply;
  message.headers = frame.headers;
  message.payload = frame.payload;
  message.frame = frame.raw;
}

bool fits(const Selection& selection, const QueuedMessage& message) {
  const bool named = selection.names.empty() ||
                     std::find(selection.names.begin(), selection.names.end(), message.name) != selection.names.end();
  return named && (!selection.before_ms || message.arrived_ms < *selection.before_ms) &&
         (selection.subject.empty() || wire::matches(selection.subject, message.subject));
}

QueuedMessage letter_of(Statement& row) {
  QueuedMessage message;
  message.name = {row.count(0), static_cast<std::uint32_t>(row.count(1))};
  message.client = row.count(2);
  message.arrived_ms = row.integer(3);
  message.died_ms = row.integer(4);
  message.reason = row.bytes(5);
  set_frame(message, parse(row.bytes(6)));
  return message;
}

Error to_error(const SqlFault& fault, Errc otherwise) {
  return Error{fault.trouble == Trouble::damaged ? Errc::queue_damaged : otherwise, fault.text};
}

// A frame as a run of its own.
void add_frame(PackedBatch& batch, std::uint64_t client, std::int64_t arrived_ms, const wire::Frame& frame) {
  batch.add({.client = client,
             .arrived_ms = arrived_ms,
             .count = 1,
             .largest_payload = static_cast<std::uint32_t>(frame.headers.size() + frame.payload.size()),
             .frames = frame.raw});
}

}  // namespace

std::string to_text(const MessageName& name) { return to_text(name.batch) + "." + std::to_string(name.index); }

std::optional<MessageName> parse_message_name(std::string_view text) {
  std::uint64_t batch = 0;
  std::uint64_t behind = 0;
  MessageName name;
  if (!take_number(text, batch) || batch > UINT64_MAX / 2 / kTicketStride) {
    return std::nullopt;
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (!take_number(text, behind) || behind >= kTicketStride) {
      return std::nullopt;
    }
  }
  if (!text.starts_with('.')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  if (!take_number(text, name.index) || !text.empty()) {
    return std::nullopt;
  }
  name.batch = batch * kTicketStride + behind;
  return name;
}

Result<std::unique_ptr<QueueView>> QueueView::open(const std::filesystem::path& directory) {
  auto file = QueueFile::open(queue_path(directory), Use::visitor, Sync::full);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  return std::unique_ptr<QueueView>(new QueueView(directory, std::move(*file)));
}

Result<QueueSummary> QueueView::summary() {
  try {
    const QueueTotals totals = file_->totals();
    return QueueSummary{.messages = totals.messages,
                        .bytes = totals.bytes,
                        .oldest_ms = totals.oldest_ms,
                        .dead_letters = totals.dead_letters,
                        .dead_bytes = totals.dead_bytes,
                        .owner = OwnerLock::owner(directory_)};
  } catch (const SqlFault& fault) {
    return std::unexpected(to_error(fault, Errc::queue_read_failed));
  }
}

void QueueView::walk_batch(const Batch& batch, const Visit& visit, bool& more) {
  QueuedMessage message;
  message.name.batch = batch.id;
  for (const Run& run : batch.runs) {
    message.client = run.client;
    message.arrived_ms = run.arrived_ms;
    for (std::string_view rest = run.frames; !rest.empty() && more; ++message.name.index) {
      const wire::Frame frame = parse(rest);
      rest.remove_prefix(frame.raw.size());
      set_frame(message, frame);
      more = visit(message);
    }
  }
}

Result<void> QueueView::walk(std::optional<MessageName> after, const Visit& visit) {
  try {
    const auto beyond = [&](const QueuedMessage& message) {
      return after && message.name <= *after ? true : visit(message);
    };
    Ticket read = after && after->batch > 0 ? after->batch - 1 : 0;
    for (bool more = true; more;) {
      const std::vector<Batch> batches = file_->read(read, kReadBytes);
      more = !batches.empty();
      for (const Batch& batch : batches) {
        walk_batch(batch, beyond, more);
        read = batch.id;
      }
    }
    return {};
  } catch (const SqlFault& fault) {
    return std::unexpected(to_error(fault, Errc::queue_read_failed));
  }
}

Result<void> QueueView::walk_dead(std::optional<MessageName> after, const Visit& visit) {
  try {
    Statement row(file_->database(),
                  std::string(kDeadColumns) + "WHERE (batch, position) > (?, ?) ORDER BY batch, position");
    row.bind(1, after ? after->batch : 0).bind(2, after ? std::int64_t{after->index} : -1);
    while (row.step()) {
      if (!visit(letter_of(row))) {
        break;
      }
    }
    row.reset();
    return {};
  } catch (const SqlFault& fault) {
    return std::unexpected(to_error(fault, Errc::queue_read_failed));
  }
}

template <class Change>
Result<std::uint64_t> QueueView::change(const Selection& selection, Change&& change) {
  try {
    Transaction transaction(file_->database());
    const std::uint64_t changed = change();
    std::set<MessageName> wanted(selection.names.begin(), selection.names.end());
    const bool by_name_alone = selection.subject.empty() && !selection.before_ms;
    if (by_name_alone && changed < wanted.size()) {
      return fail(Errc::queue_no_such_message, std::to_string(wanted.size() - changed) + " of " +
                                                   std::to_string(wanted.size()) +
                                                   " are not there; nothing was changed");
    }
    transaction.commit();
    return changed;
  } catch (const SqlFault& fault) {
    return std::unexpected(to_error(fault, Errc::queue_write_failed));
  }
}

std::uint64_t QueueView::purge_batch(const Batch& batch, const Selection& selection) {
  PackedBatch rest(batch.id);
  std::uint64_t going = 0;
  bool more = true;
  walk_batch(
      batch,
      [&](const QueuedMessage& message) {
        if (fits(selection, message)) {
          ++going;
        } else {
          add_frame(rest, message.client, message.arrived_ms, parse(message.frame));
        }
        return true;
      },
      more);
  if (going > 0) {
    file_->remove(batch.id);
    if (rest.messages() > 0) {
      rest.seal();
      file_->insert(rest);
    }
  }
  return going;
}

Result<std::uint64_t> QueueView::purge(const Selection& selection) {
  return change(selection, [&] {
    std::uint64_t purged = 0;
    if (selection.names.empty() && selection.subject.empty() && !selection.before_ms) {
      const QueueTotals totals = file_->totals();  // without reading them: this works for a damaged one too
      return file_->remove_through(totals.last).messages;
    }
    std::set<Ticket> named;
    for (const MessageName& name : selection.names) {
      named.insert(name.batch);
    }
    Ticket after = named.empty() ? 0 : *named.begin() - 1;
    while (true) {
      const std::vector<Batch> batches = file_->read(after, 1);
      if (batches.empty() || (!named.empty() && batches.front().id > *named.rbegin())) {
        return purged;
      }
      purged += purge_batch(batches.front(), selection);
      after = batches.front().id;
      const auto next = named.upper_bound(after);  // from one named batch to the next
      after = next != named.end() ? *next - 1 : after;
    }
  });
}

Result<std::uint64_t> QueueView::purge_dead(const Selection& selection) {
  return change(selection, [&] {
    std::uint64_t purged = 0;
    Statement row(file_->database(), std::string(kDeadColumns) + "WHERE id > ? ORDER BY id LIMIT 1");
    Statement remove(file_->database(), "DELETE FROM dead WHERE id = ?");
    for (std::int64_t id = 0; row.bind(1, id).step();) {
      const bool going = fits(selection, letter_of(row));
      id = row.integer(7);
      row.reset();
      if (going) {
        remove.bind(1, id).run();
        ++purged;
      }
    }
    return purged;
  });
}

Result<std::uint64_t> QueueView::replay(const Selection& selection) {
  return change(selection, [&] {
    Ticket next = file_->totals().last + 1;
    std::uint64_t replayed = 0;
    PackedBatch batch(next);
    const auto put = [&] {
      // The agent's next batch has the next multiple.
      if (OwnerLock::owner(directory_) && next % kTicketStride == 0) {
        throw SqlFault{Trouble::other,
                       "too much was replayed behind one batch; try again when the agent has queued one"};
      }
      batch.seal();
      file_->insert(batch);
      batch = PackedBatch(++next);
    };
    std::vector<std::int64_t> taken;
    Statement row(file_->database(), std::string(kDeadColumns) + "ORDER BY id");
    while (row.step()) {
      const QueuedMessage letter = letter_of(row);
      if (!fits(selection, letter)) {
        continue;
      }
      add_frame(batch, letter.client, letter.arrived_ms, parse(letter.frame));
      taken.push_back(row.integer(7));
      ++replayed;
      if (batch.full()) {
        put();
      }
    }
    if (batch.messages() > 0) {
      put();
    }
    Statement remove(file_->database(), "DELETE FROM dead WHERE id = ?");
    for (const std::int64_t id : taken) {
      remove.bind(1, id).run();
    }
    return replayed;
  });
}

}  // namespace hawser::store
