from function_build.vendor import build

build()
