// Command kube-apiserver is kubectl or, with "kube-apiserver" as its first argument, the API server of a cluster.
// `bash test/support/ci-tools.sh kube-apiserver` builds it.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "kube-apiserver" {
		os.Args = os.Args[1:]
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	}
	// Other than cli.Run, kubectl itself says what went wrong.
	util.CheckErr(cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()))
}
