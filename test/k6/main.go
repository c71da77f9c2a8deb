// Command k6 is k6, of the release that go.mod pins with all that it is made of: what load tests are run with.
// test/support/ci-tools.sh builds it.
package main

import "go.k6.io/k6/v2/cmd"

func main() { cmd.Execute() }
