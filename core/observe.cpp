#include <gradtape/core/anomaly.hpp>
#include <gradtape/core/observe.hpp>

void gradtape::detail::watch(const Call& call) {
  if (thread_state.detect_anomaly) check_value(call.op, call.output, call.inputs);
  if (thread_state.observer) thread_state.observer->called(call);
}
