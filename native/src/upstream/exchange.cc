// Makes pages of the exchange table.
#include "upstream/exchange.h"

namespace sluice::upstream {

void ExchangeTable::MakePage(size_t index) {
  pages_[index] = std::make_unique<Page>();
  int32_t id = static_cast<int32_t>(index * kPageExchanges);
  for (Exchange& exchange : pages_[index]->exchanges) {
    exchange.id = id++;
    exchange.owner = owner_;
  }
}

}  // namespace sluice::upstream
