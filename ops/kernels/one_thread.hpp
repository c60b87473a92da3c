#pragma once

namespace gradtape::inline v0::detail {

/// While one lives, BLAS and LAPACK compute on the calling thread alone. OpenBLAS has one setting for the whole
/// process: the first of ours to start sets it to one, the last to end puts back what the host program had. OpenMP's,
/// for oneDNN, is per thread.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int omp_before_ = 1;
};

}  // namespace gradtape::inline v0::detail
