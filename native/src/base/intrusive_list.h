// Doubly linked lists whose links lie inside their elements: no allocation, removal from anywhere
// in O(1).
#pragma once

namespace sluice {

/// The links of one list membership; an element derives from one hook per kind of list, told apart
/// by `Tag`. An element that goes leaves its list by itself.
template <typename Tag>
class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { Unlink(); }

  bool is_linked() const { return next_ != nullptr; }

  /// Leaves the list it is in; nothing happens when it is in none.
  void Unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  template <typename T, typename T2>
  friend class IntrusiveList;

  ListHook* previous_ = nullptr;
  ListHook* next_ = nullptr;
};

/// A list of T, which derives from ListHook<Tag>. Owns nothing; elements that are left are unlinked
/// when it goes.
template <typename T, typename Tag>
class IntrusiveList {
 public:
  using Hook = ListHook<Tag>;

  IntrusiveList() { root_.previous_ = root_.next_ = &root_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (!empty())
      front()->Hook::Unlink();
    root_.previous_ = root_.next_ = nullptr;
  }

  bool empty() const { return root_.next_ == &root_; }
  /// First element, or nullptr.
  T* front() const { return empty() ? nullptr : static_cast<T*>(root_.next_); }
  /// Last element, or nullptr.
  T* back() const { return empty() ? nullptr : static_cast<T*>(root_.previous_); }
  /// The element behind `element`, or nullptr.
  T* After(T* element) const {
    Hook* next = static_cast<Hook*>(element)->next_;
    return next == &root_ ? nullptr : static_cast<T*>(next);
  }

  /// The element must be in no list of this tag.
  void PushFront(T* element) { InsertBefore(root_.next_, element); }
  void PushBack(T* element) { InsertBefore(&root_, element); }

  /// First element, unlinked, or nullptr.
  T* PopFront() {
    T* const element = front();
    if (element != nullptr) element->Hook::Unlink();
    return element;
  }

  /// Moves every element of `other` to the back of this list.
  void TakeAll(IntrusiveList& other) {
    if (other.empty()) return;
    Hook* const first = other.root_.next_;
    Hook* const last = other.root_.previous_;
    other.root_.previous_ = other.root_.next_ = &other.root_;
    first->previous_ = root_.previous_;
    root_.previous_->next_ = first;
    last->next_ = &root_;
    root_.previous_ = last;
  }

 private:
  static void InsertBefore(Hook* position, T* element) {
    Hook* const hook = element;
    hook->previous_ = position->previous_;
    hook->next_ = position;
    position->previous_->next_ = hook;
    position->previous_ = hook;
  }

  Hook root_;
};

}  // namespace sluice
