package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-mux/tf5to6server"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v5shim "github.com/pulumi/pulumi-terraform-bridge/v3/dynamic/internal/shim/protov5"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/vendored/opentofu/logging"
	tfplugin "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/vendored/opentofu/plugin"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/vendored/tfplugin5"
)

// startUpstream starts the Terraform provider; closing ends it. The bridge's own loader asks it for the schemas of all its 1,500
// types at every start, which costs both sides most of a second; here only those that are mapped are kept, in a file beside
// this program, and the next start asks for none.
func startUpstream(ctx context.Context, path string) (tfprotov6.ProviderServer, func() error, error) {
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  tfplugin.Handshake,
		Logger:           logging.NewProviderLogger(""),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Managed:          true,
		Cmd:              exec.Command(path),
		AutoMTLS:         true,
		VersionedPlugins: tfplugin.VersionedPlugins,
		SyncStdout:       logging.PluginOutputMonitor("aws:stdout"),
		SyncStderr:       logging.PluginOutputMonitor("aws:stderr"),
	})
	connection, err := client.Client()
	if err != nil {
		return nil, nil, err
	}
	if version := client.NegotiatedVersion(); version != 5 {
		client.Kill()
		return nil, nil, fmt.Errorf("it speaks version %d of Terraform's protocol, not 5", version)
	}
	remote := mapped{
		ProviderClient: tfplugin5.NewProviderClient(connection.(*goplugin.GRPCClient).Conn),
		file:           schemaFile(path),
	}
	server, err := tf5to6server.UpgradeServer(ctx, func() tfprotov5.ProviderServer { return v5shim.New(remote) })
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	return server, connection.Close, nil
}

// mapped is the Terraform provider with the schemas of what has a token, and no others.
type mapped struct {
	tfplugin5.ProviderClient
	file string
}

func (m mapped) GetSchema(
	ctx context.Context, request *tfplugin5.GetProviderSchema_Request, options ...grpc.CallOption,
) (*tfplugin5.GetProviderSchema_Response, error) {
	if bytes, err := os.ReadFile(m.file); err == nil {
		kept := &tfplugin5.GetProviderSchema_Response{}
		if err := proto.Unmarshal(bytes, kept); err == nil && len(kept.ResourceSchemas) > 0 {
			return kept, nil
		}
	}
	// Terraform itself allows 64 MB, gRPC by default 4.
	options = append(options, grpc.MaxCallRecvMsgSize(64<<20))
	response, err := m.ProviderClient.GetSchema(ctx, request, options...)
	if err != nil {
		return nil, err
	}
	if len(response.Diagnostics) > 0 {
		return response, nil
	}
	keep(response.ResourceSchemas, resources)
	keep(response.DataSourceSchemas, functions)
	response.Functions, response.EphemeralResourceSchemas = nil, nil
	// Where nothing can be written, the next start asks again.
	_ = writeSchema(m.file, response)
	return response, nil
}

func keep[Token any](schemas map[string]*tfplugin5.Schema, tokens map[string]Token) {
	for name := range schemas {
		if _, ok := tokens[name]; !ok {
			delete(schemas, name)
		}
	}
}

// schemaFile is where the schemas of this very provider are kept, for this program alone. Which types are mapped is part of
// the program, so a newer one does not find the file of an older one only if it is in a folder of its own: install.ts sees to that.
func schemaFile(path string) string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	name := fmt.Sprintf(".schemas-%x-%x", info.Size(), info.ModTime().UnixNano())
	return filepath.Join(filepath.Dir(program), name)
}

// writeSchema never leaves a file that is written half: several programs may start at the same time.
func writeSchema(file string, response *tfplugin5.GetProviderSchema_Response) error {
	if file == "" {
		return errors.New("there is no place for it")
	}
	bytes, err := proto.Marshal(response)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".schemas-*.tmp")
	if err != nil {
		return err
	}
	_, err = temporary.Write(bytes)
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}
