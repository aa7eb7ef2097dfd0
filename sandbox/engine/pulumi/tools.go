//go:build tools

// This module exists to build Pulumi's command line from Go modules, where its download is out of reach. `go install pkg@version`
// refuses a module with `replace` lines, and Pulumi's has one; so go.mod repeats it.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
