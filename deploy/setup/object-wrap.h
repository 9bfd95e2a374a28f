/*
 * Compiled in front of native modules. From Node 24.19 on, node::ObjectWrap takes its cleanup hook back in its destructor, which the
 * garbage collector may run when no environment is entered; Node then aborts (hooks.cc, "(env) != nullptr"). better-sqlite3 12 is built on
 * it, and its successor does not run on Node 20. So the class is taken as it was before: without hooks. Everything else keeps its own.
 */
#if defined(__cplusplus) && defined(__has_include)
#if __has_include(<node.h>) && __has_include(<node_object_wrap.h>)
#include <node.h>
namespace node {
inline void FlowberryNoHook(v8::Isolate*, void (*)(void*), void*) {}
}  // namespace node
#define AddEnvironmentCleanupHook FlowberryNoHook
#define RemoveEnvironmentCleanupHook FlowberryNoHook
#include <node_object_wrap.h>
#undef AddEnvironmentCleanupHook
#undef RemoveEnvironmentCleanupHook
#endif
#endif
