// A function without a body, which go:linkname gives one from elsewhere, compiles only in a package that has assembly.
