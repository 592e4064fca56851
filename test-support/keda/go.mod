// The definitions of KEDA's kinds, from its own module: nothing of it is built or run.
module file-processing/test-support/keda

go 1.26

require github.com/kedacore/keda/v2 v2.21.0
