#pragma once

#include <stdexcept>
#include <string>

namespace gradtape::inline v0 {

/// Base of every exception this library throws. A message names the operation, what is wrong (with the shapes, dtypes
/// or the file and offset involved) and what to change.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

  /// Adds to the message while the exception passes by.
  void add(const std::string& text) { static_cast<std::runtime_error&>(*this) = std::runtime_error(what() + text); }
};

/// Shapes do not fit each other or the operation; ragged literals; a wrong number of elements; a bad axis.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Mixed or unsupported dtypes.
class DtypeError : public Error {
 public:
  using Error::Error;
};

/// An index outside its dimension.
class IndexError : public Error {
 public:
  using Error::Error;
};

/// An argument outside its domain (a negative rate, an empty reduction, a label that is no class).
class ValueError : public Error {
 public:
  using Error::Error;
};

/// The tape was asked for something it cannot give: no gradient here, a graph already swept, a target not reached.
class GradientError : public Error {
 public:
  using Error::Error;
};

/// A value or gradient that is not finite, found while a DetectAnomaly lives.
class AnomalyError : public Error {
 public:
  using Error::Error;
};

/// A leaf or graph used by a thread that does not own it (checked in the dev build).
class ThreadError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be read or written; the message names the file and, where it applies, the offset.
class FileError : public Error {
 public:
  using Error::Error;
};

}  // namespace gradtape::inline v0
