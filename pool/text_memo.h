// What was found out about a text, remembered for when it comes again: most callers send the same
// few statements over and over, and splitting a text into words costs more than comparing it.
#ifndef EMSDB_POOL_TEXT_MEMO_H_
#define EMSDB_POOL_TEXT_MEMO_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/hash/hash.h"
#include "pool/mutex.h"

namespace emsdb {

// `Facts` are what `find` says of a text, always the same. A text that takes another's place drives
// it out; long ones are not kept. So it never holds more than kPlaces texts of kLongest bytes.
//
// Safe for use by any number of threads.
template <typename Facts>
class TextMemo {
 public:
  static constexpr std::size_t kPlaces = 1024;
  static constexpr std::size_t kLongest = std::size_t{4} << 10;

  using Find = Facts (*)(std::string_view text);

  explicit TextMemo(Find find) : find_(find) {}

  std::shared_ptr<const Facts> Of(std::string_view text) {
    if (text.size() > kLongest) return std::make_shared<const Facts>(find_(text));
    Place& place = (*places_)[absl::HashOf(text) % kPlaces];
    std::shared_ptr<const Known> known;
    {
      MutexLock lock(place.mutex);
      known = place.known;
    }
    if (known == nullptr || known->text != text) {
      known = std::make_shared<const Known>(Known{std::string(text), find_(text)});
      auto old = known;  // ends without the lock
      MutexLock lock(place.mutex);
      place.known.swap(old);
    }
    return {known, &known->facts};
  }

 private:
  struct Known {
    std::string text;
    Facts facts;
  };
  struct Place {
    Mutex mutex;
    std::shared_ptr<const Known> known ABSL_GUARDED_BY(mutex);
  };

  const Find find_;
  const std::unique_ptr<std::array<Place, kPlaces>> places_ =
      std::make_unique<std::array<Place, kPlaces>>();
};

}  // namespace emsdb

#endif  // EMSDB_POOL_TEXT_MEMO_H_
