package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metadatavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Custom resources, by the definitions in a folder, which is read when the first one is validated.
type customResources struct {
	directory   string
	definitions []apiextensionsv1.CustomResourceDefinition
}

func (custom *customResources) validate(manifest []byte) ([]string, error) {
	content, err := yaml.YAMLToJSONStrict(manifest)
	if err != nil {
		return []string{err.Error()}, nil
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(content); err != nil {
		return []string{err.Error()}, nil
	}
	kind := object.GroupVersionKind()
	name := fmt.Sprintf("%s %s", kind.Kind, object.GetName())
	definition, version, err := custom.find(kind)
	if err != nil {
		return nil, err
	}
	if definition == nil {
		return []string{fmt.Sprintf("%s: no definition has kind %s of %s", name, kind.Kind, kind.GroupVersion())}, nil
	}
	found, err := customProblems(object, definition, version)
	var problems []string
	for _, each := range found {
		problems = append(problems, fmt.Sprintf("%s: %s", name, each))
	}
	return problems, err
}

func (custom *customResources) find(kind schema.GroupVersionKind) (
	*apiextensionsv1.CustomResourceDefinition, *apiextensionsv1.CustomResourceDefinitionVersion, error,
) {
	if custom.definitions == nil {
		if err := custom.read(); err != nil {
			return nil, nil, err
		}
	}
	for index := range custom.definitions {
		definition := &custom.definitions[index]
		if definition.Spec.Group != kind.Group || definition.Spec.Names.Kind != kind.Kind {
			continue
		}
		for index := range definition.Spec.Versions {
			if version := &definition.Spec.Versions[index]; version.Name == kind.Version && version.Served {
				return definition, version, nil
			}
		}
	}
	return nil, nil, nil
}

func (custom *customResources) read() error {
	paths, err := filepath.Glob(filepath.Join(custom.directory, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		documents, err := readManifests(bytes.NewReader(content))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, document := range documents {
			var definition apiextensionsv1.CustomResourceDefinition
			if err := yaml.Unmarshal(document, &definition); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			custom.definitions = append(custom.definitions, definition)
		}
	}
	return nil
}

// What the API server does with a new custom resource, in its order.
func customProblems(
	object *unstructured.Unstructured,
	definition *apiextensionsv1.CustomResourceDefinition,
	version *apiextensionsv1.CustomResourceDefinitionVersion,
) ([]string, error) {
	internal := &apiextensions.CustomResourceValidation{}
	err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(version.Schema, internal, nil)
	if err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	isNamespaced := definition.Spec.Scope == apiextensionsv1.NamespaceScoped
	if isNamespaced && object.GetNamespace() == "" {
		// As kubectl sends it.
		object.SetNamespace(metav1.NamespaceDefault)
	}

	metadata, _, unknown, err := objectmeta.GetObjectMetaWithOptions(object.Object,
		objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return []string{err.Error()}, nil
	}
	track := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown = append(unknown, pruning.PruneWithOptions(object.Object, structural, true, track)...)
	defaulting.PruneNonNullableNullsWithoutDefaults(object.Object, structural)
	malformed, inside := objectmeta.CoerceWithOptions(nil, object.Object, structural, false,
		objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	unknown = append(unknown, inside...)
	var problems []string
	for _, path := range unknown {
		problems = append(problems, fmt.Sprintf("unknown field %q", path))
	}
	if malformed != nil {
		return append(problems, malformed.Error()), nil
	}
	if err := objectmeta.SetObjectMeta(object.Object, metadata); err != nil {
		return nil, err
	}
	defaulting.Default(object.Object, structural)

	errs := metadatavalidation.ValidateObjectMetaAccessor(object, isNamespaced, metadatavalidation.NameIsDNSSubdomain,
		field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, object.Object, validator)...)
	errs = append(errs, objectmeta.Validate(nil, object.Object, structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, structural, object.Object)...)
	// Rules count on the types that the schema gives.
	if rules := cel.NewValidator(structural, true, celconfig.PerCallLimit); rules != nil && len(errs) == 0 {
		broken, _ := rules.Validate(context.Background(), nil, structural, object.Object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, each := range errs {
		problems = append(problems, each.Error())
	}
	return problems, nil
}
