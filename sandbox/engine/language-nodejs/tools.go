//go:build tools

// This module builds Pulumi's language host for Node.js. v3.68.0 of the SDK is the last that contains it; later it is a module of
// its own, which the Go proxy does not serve.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
