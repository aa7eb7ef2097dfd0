//go:build tools

// This module exists to build Pulumi's host for YAML programs from Go modules, for the tests of the components in other languages. It is of
// the newest version that the Go proxies serve.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
