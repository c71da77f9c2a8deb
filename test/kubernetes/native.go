package main

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	kubernetespolicy "k8s.io/kubernetes/pkg/apis/policy"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
)

var scheme = legacyscheme.Scheme

var strictly = json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{
	Yaml:   true,
	Strict: true,
})

// Of the range that a cluster has by default.
const anyNodePort = 30000

// The object, where the manifest can be read as one, and what is wrong with it. A manifest of a kind that is not
// Kubernetes's own is an error that runtime.IsNotRegisteredError knows.
func validateNative(manifest []byte) (runtime.Object, []string, error) {
	object, kind, err := strictly.Decode(manifest, nil, nil)
	if runtime.IsNotRegisteredError(err) {
		return nil, nil, err
	}
	name := "A manifest"
	if kind != nil {
		name = kind.Kind
	}
	if object == nil {
		return nil, []string{fmt.Sprintf("%s: %s", name, err)}, nil
	}
	if metadata, ok := object.(metav1.Object); ok {
		name += " " + metadata.GetName()
		// As kubectl sends it.
		if metadata.GetNamespace() == "" && kind.Kind != "Namespace" {
			metadata.SetNamespace(metav1.NamespaceDefault)
		}
	}
	var problems []string
	if err != nil {
		problems = append(problems, fmt.Sprintf("%s: %s", name, err))
	}
	scheme.Default(object)
	internal, err := scheme.ConvertToVersion(object, schema.GroupVersion{Group: kind.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return nil, nil, err
	}
	for _, found := range fieldProblems(internal) {
		problems = append(problems, fmt.Sprintf("%s: %s", name, found))
	}
	return object, problems, nil
}

// What the API server's strategy for each kind says of a new object. Kinds that k8s/ does not use are missing here,
// and refused.
func fieldProblems(object runtime.Object) field.ErrorList {
	switch object := object.(type) {
	case *core.Namespace:
		return corevalidation.ValidateNamespace(object)
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(object)
	case *core.Secret:
		return corevalidation.ValidateSecret(object)
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(object)
	case *core.Service:
		// The API server gives addresses and ports before it validates.
		if object.Spec.ClusterIP != "" && len(object.Spec.ClusterIPs) == 0 {
			object.Spec.ClusterIPs = []string{object.Spec.ClusterIP}
		}
		if service.NeedsHealthCheck(object) && object.Spec.HealthCheckNodePort == 0 {
			object.Spec.HealthCheckNodePort = anyNodePort
		}
		return corevalidation.ValidateServiceCreate(object)
	case *apps.Deployment:
		options := pod.GetValidationOptionsFromPodTemplate(&object.Spec.Template, nil)
		return appsvalidation.ValidateDeployment(object, options)
	case *apps.StatefulSet:
		options := pod.GetValidationOptionsFromPodTemplate(&object.Spec.Template, nil)
		return appsvalidation.ValidateStatefulSet(object, options)
	case *autoscaling.HorizontalPodAutoscaler:
		return autoscalingvalidation.ValidateHorizontalPodAutoscaler(object,
			autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{
				MinReplicasLowerBound: 1,
				ObjectMetricsValidationOptions: autoscalingvalidation.CrossVersionObjectReferenceValidationOptions{
					AllowEmptyAPIGroup: true,
				},
			})
	case *networking.NetworkPolicy:
		options := networkingvalidation.ValidationOptionsForNetworking(object, nil)
		return networkingvalidation.ValidateNetworkPolicy(object, options)
	case *kubernetespolicy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(object, policyvalidation.PodDisruptionBudgetValidationOptions{})
	}
	return field.ErrorList{field.Forbidden(field.NewPath("kind"), fmt.Sprintf("test/kubernetes/native.go does not validate %T yet", object))}
}
