#include <gradtape/ops/kernels/one_thread.hpp>

#include <mutex>

#include <cblas.h>

#ifdef GRADTAPE_ONEDNN
extern "C" int omp_get_max_threads();  // of the OpenMP that oneDNN runs on; not every compiler brings <omp.h>
extern "C" void omp_set_num_threads(int);
#else
static int omp_get_max_threads() { return 1; }
static void omp_set_num_threads(int) {}
#endif

namespace gradtape::inline v0::detail {
namespace {

std::mutex mutex;
int running = 0, before = 1;

}  // namespace

OneThread::OneThread() : omp_before_(omp_get_max_threads()) {
  const std::lock_guard lock(mutex);
  if (running++ == 0 && (before = openblas_get_num_threads()) != 1) openblas_set_num_threads(1);
  if (omp_before_ != 1) omp_set_num_threads(1);
}

OneThread::~OneThread() {
  const std::lock_guard lock(mutex);
  if (--running == 0 && before != 1) openblas_set_num_threads(before);
  if (omp_before_ != 1) omp_set_num_threads(omp_before_);
}

}  // namespace gradtape::inline v0::detail
