// A Pulumi resource plugin named "aws" that drives an unmodified terraform-provider-aws binary through Pulumi's own Terraform
// bridge. It answers to the resource tokens of @pulumi/aws, so programs written against @pulumi/aws run unchanged.
// It exists for the sandbox on machines that cannot download Pulumi's plugin; where that download works, that one is used.
//
// The module's path lies under the bridge's own `dynamic/`, so that Go lets it import the bridge's internal shim.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/proto"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// Set by the build to the version of @pulumi/aws that the programs use.
var version = "0.0.0"

func main() {
	ctx := context.Background()
	path, err := providerPath()
	if err != nil {
		fail(err)
	}
	upstream, end, err := startUpstream(ctx, path)
	if err != nil {
		fail(fmt.Errorf("starting %s: %w", path, err))
	}
	defer func() { _ = end() }()

	provider := proto.New(ctx, upstream)
	info := tfbridge.ProviderInfo{
		P: provider, Name: "aws", Version: version, ResourcePrefix: "aws",
		MetadataInfo: &tfbridge.MetadataInfo{Data: tfbridge.ProviderMetadata(nil)},
		Resources:    map[string]*tfbridge.ResourceInfo{},
		DataSources:  map[string]*tfbridge.DataSourceInfo{},
		Config:       configFields,
	}
	for name, token := range resources {
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: token, Fields: fields[name]}
	}
	for name, token := range functions {
		info.DataSources[name] = &tfbridge.DataSourceInfo{Tok: token, Fields: dataSourceFields[name]}
	}
	info.SetAutonaming(255, "-")

	if len(os.Args) == 2 && os.Args[1] == "--describe" {
		describe(info)
		return
	}
	schema := fmt.Sprintf(`{"name":"aws","version":%q}`, version)
	pfbridge.Main(ctx, "aws", info, pfbridge.ProviderMetadata{PackageSchema: []byte(schema)})
}

// providerPath finds the Terraform provider: named in the environment, or linked beside this program. Both the path by which this
// program was started and the one it really has are tried, as the plugin in PULUMI_HOME is a link into a cache. The loader wants
// a path that ends in "terraform-provider-aws".
func providerPath() (string, error) {
	const name = "terraform-provider-aws"
	if path := os.Getenv("TF_PROVIDER_AWS"); path != "" {
		return path, nil
	}
	var tried []string
	try := func(program string) (string, bool) {
		path := filepath.Join(filepath.Dir(program), name)
		tried = append(tried, path)
		_, err := os.Stat(path)
		return path, err == nil
	}
	if strings.ContainsRune(os.Args[0], filepath.Separator) {
		if path, ok := try(os.Args[0]); ok {
			return path, nil
		}
	}
	if program, err := os.Executable(); err == nil {
		if path, ok := try(program); ok {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Terraform provider: TF_PROVIDER_AWS is not set and there is none at %s", strings.Join(tried, " or "))
}

// property is one input as this plugin names it; `Of` are the properties of the objects it holds.
type property struct {
	Kind string              `json:"kind"`
	Of   map[string]property `json:"of,omitempty"`
}

// describe prints the properties of everything mapped, to be compared with @pulumi/aws (tests/engine).
func describe(info tfbridge.ProviderInfo) {
	result := map[string]map[string]property{"provider": properties(info.P.Schema(), info.Config)}
	for name, resource := range info.Resources {
		found, ok := info.P.ResourcesMap().GetOk(name)
		if !ok {
			fail(fmt.Errorf("the Terraform provider has no resource %s", name))
		}
		result[string(resource.Tok)] = properties(found.Schema(), resource.Fields)
	}
	for name, function := range info.DataSources {
		found, ok := info.P.DataSourcesMap().GetOk(name)
		if !ok {
			fail(fmt.Errorf("the Terraform provider has no data source %s", name))
		}
		result[string(function.Tok)] = properties(found.Schema(), function.Fields)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func properties(schema shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo) map[string]property {
	result := map[string]property{}
	schema.Range(func(name string, field shim.Schema) bool {
		found := property{Kind: "scalar"}
		switch field.Type() {
		case shim.TypeList, shim.TypeSet:
			found.Kind = "list"
			if tfbridge.IsMaxItemsOne(field, fields[name]) {
				found.Kind = "single"
			}
		case shim.TypeMap:
			found.Kind = "map"
		}
		if nested, ok := field.Elem().(shim.Resource); ok {
			var inner map[string]*tfbridge.SchemaInfo
			if own := fields[name]; own != nil {
				inner = own.Fields
				if own.Elem != nil {
					inner = own.Elem.Fields
				}
			}
			found.Of = properties(nested.Schema(), inner)
		}
		result[tfbridge.TerraformToPulumiNameV2(name, schema, fields)] = found
		return true
	})
	return result
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
