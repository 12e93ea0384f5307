# Builds the native engine: build/Release/sluice_engine.node from every .cc under native/src.
{
  'targets': [
    {
      'target_name': 'sluice_engine',
      'sources': ['<!@(find native/src -name "*.cc" | LC_ALL=C sort)'],
      'include_dirs': ['native/src', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      # Node's own settings include -fno-exceptions and -fno-rtti on some platforms only: say it all here.
      'cflags': ['-O2', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
      'cflags!': ['-O3', '-Wno-unused-parameter'],
      'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-frtti', '-fexceptions'],
      'ldflags': ['-Wl,-z,now', '-Wl,-z,relro'],
    },
  ],
}
