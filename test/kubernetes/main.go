// Command kubernetes renders the manifests and says whether a cluster would take them, without a cluster.
// "kubernetes kustomize" is the kustomize that is in kubectl. "kubernetes validate" is what the API server does with
// an object that it is sent, by the packages that the API server does it with: strict decoding, defaults, validation,
// and Pod Security. test/support/ci-tools.sh builds it.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	command := &cobra.Command{Use: "kubernetes", SilenceUsage: true}
	command.AddCommand(
		build.NewCmdBuild(filesys.MakeFsOnDisk(), build.MakeHelp("kubernetes", "kustomize"), os.Stdout),
		validateCommand(),
	)
	if command.Execute() != nil {
		os.Exit(1)
	}
}

func validateCommand() *cobra.Command {
	var definitions string
	command := &cobra.Command{
		Use:   "validate",
		Short: "Says what a cluster would refuse in the manifests on standard input, a line for each problem",
		Args:  cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			manifests, err := readManifests(os.Stdin)
			if err == nil && len(manifests) == 0 {
				err = errors.New("there are no manifests on standard input")
			}
			if err != nil {
				return err
			}
			problems, err := problemsOf(manifests, &customResources{directory: definitions})
			for _, problem := range problems {
				fmt.Println(problem)
			}
			if err == nil && len(problems) > 0 {
				err = errors.New("a cluster would not take these manifests")
			}
			return err
		},
	}
	const flag = "definitions"
	command.Flags().StringVar(&definitions, flag, "", "a folder of CustomResourceDefinitions, in .yaml files")
	if err := command.MarkFlagRequired(flag); err != nil {
		panic(err)
	}
	return command
}

func readManifests(input io.Reader) ([][]byte, error) {
	reader := yaml.NewYAMLReader(bufio.NewReader(input))
	var manifests [][]byte
	for {
		manifest, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return manifests, nil
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(manifest)) > 0 {
			manifests = append(manifests, manifest)
		}
	}
}

// The problems of manifests that are applied together. An error is that they could not be looked at.
func problemsOf(manifests [][]byte, custom *customResources) ([]string, error) {
	var problems []string
	var objects []runtime.Object
	for number, manifest := range manifests {
		object, found, err := validateNative(manifest)
		if runtime.IsNotRegisteredError(err) {
			found, err = custom.validate(manifest)
		}
		if err != nil {
			return problems, fmt.Errorf("manifest %d: %w", number+1, err)
		}
		if object != nil {
			objects = append(objects, object)
		}
		problems = append(problems, found...)
	}
	refused, err := podSecurityProblems(objects)
	return append(problems, refused...), err
}

// What pods ask for beyond the level of Pod Security that the Namespace among the manifests gives them.
func podSecurityProblems(objects []runtime.Object) ([]string, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return nil, err
	}
	// As in a cluster where nobody has set it.
	defaults := podsecurity.Policy{
		Enforce: podsecurity.LevelVersion{Level: podsecurity.LevelPrivileged, Version: podsecurity.LatestVersion()},
	}
	levels := map[string]podsecurity.LevelVersion{}
	for _, object := range objects {
		if namespace, ok := object.(*corev1.Namespace); ok {
			evaluated, errs := podsecurity.PolicyToEvaluate(namespace.Labels, defaults)
			if len(errs) > 0 {
				return []string{fmt.Sprintf("Namespace %s: %s", namespace.Name, errs.ToAggregate())}, nil
			}
			levels[namespace.Name] = evaluated.Enforce
		}
	}
	var problems []string
	for _, object := range objects {
		metadata, template := podsOf(object)
		if template == nil {
			continue
		}
		name := object.GetObjectKind().GroupVersionKind().Kind + " " + metadata.Name
		level, isThere := levels[metadata.Namespace]
		if !isThere {
			problems = append(problems, fmt.Sprintf("%s: there is no Namespace %q", name, metadata.Namespace))
			continue
		}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec))
		if !result.Allowed {
			asked := fmt.Sprintf("would violate PodSecurity %q: %s", level.String(), result.ForbiddenDetail())
			problems = append(problems, name+": "+asked)
		}
	}
	return problems, nil
}

func podsOf(object runtime.Object) (*metav1.ObjectMeta, *corev1.PodTemplateSpec) {
	switch workload := object.(type) {
	case *appsv1.Deployment:
		return &workload.ObjectMeta, &workload.Spec.Template
	case *appsv1.StatefulSet:
		return &workload.ObjectMeta, &workload.Spec.Template
	}
	return nil, nil
}
