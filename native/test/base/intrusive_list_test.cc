// Elements enter and leave intrusive lists in any order.
#include "base/intrusive_list.h"

#include <memory>
#include <string>

#include "check.h"

namespace {

struct RedTag;
struct BlueTag;
struct Bead : sluice::ListHook<RedTag>, sluice::ListHook<BlueTag> {
  explicit Bead(char bead_name) : name(bead_name) {}
  char name;
};
using RedHook = sluice::ListHook<RedTag>;
using RedList = sluice::IntrusiveList<Bead, RedTag>;
using BlueList = sluice::IntrusiveList<Bead, BlueTag>;

std::string NamesOf(const RedList& list) {
  std::string names;
  for (Bead* bead = list.front(); bead != nullptr; bead = list.After(bead))
    names += bead->name;
  return names;
}

TEST(KeepsOrderFromBothEnds) {
  Bead a('a');
  Bead b('b');
  Bead c('c');
  RedList list;
  list.PushBack(&b);
  list.PushFront(&a);
  list.PushBack(&c);
  CHECK_EQ(NamesOf(list), "abc");
  CHECK(list.back()->name == 'c');
  b.RedHook::Unlink();
  b.RedHook::Unlink();
  CHECK_EQ(NamesOf(list), "ac");
  CHECK(list.PopFront()->name == 'a');
  CHECK(list.PopFront()->name == 'c');
  CHECK(list.PopFront() == nullptr);
  CHECK(list.empty());
}

TEST(HoldsAnElementInTwoListsOfDifferentTags) {
  Bead a('a');
  RedList red;
  BlueList blue;
  red.PushBack(&a);
  blue.PushBack(&a);
  a.RedHook::Unlink();
  CHECK(red.empty());
  CHECK(blue.front() == &a);
}

TEST(TakesAllOfAnotherList) {
  Bead a('a');
  Bead b('b');
  Bead c('c');
  RedList from;
  RedList to;
  to.PushBack(&a);
  to.TakeAll(from);
  CHECK_EQ(NamesOf(to), "a");
  from.PushBack(&b);
  from.PushBack(&c);
  to.TakeAll(from);
  CHECK(from.empty());
  CHECK_EQ(NamesOf(to), "abc");
}

TEST(LosesAnElementThatGoes) {
  RedList list;
  Bead a('a');
  list.PushBack(&a);
  {
    Bead b('b');
    list.PushBack(&b);
  }
  CHECK_EQ(NamesOf(list), "a");
}

TEST(ReleasesItsElementsWhenItGoes) {
  Bead a('a');
  {
    RedList list;
    list.PushBack(&a);
  }
  CHECK(!a.RedHook::is_linked());
}

}  // namespace
