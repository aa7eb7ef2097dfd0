package main

import "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

// Lists of at most one item that @pulumi/aws takes as a single value.
func single() *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.True()}
}

// Where @pulumi/aws names or shapes a property other than the bridge would by itself.
var fields = map[string]map[string]*tfbridge.SchemaInfo{
	"aws_cloudwatch_log_subscription_filter": {"log_group_name": {Name: "logGroup"}},
	"aws_cloudwatch_metric_alarm":            {"alarm_name": {Name: "name"}},
	"aws_lambda_function": {
		"function_name": {Name: "name"},
		"filename":      {Name: "code", Asset: &tfbridge.AssetTranslation{Kind: tfbridge.FileArchive}},
	},
	"aws_lambda_permission": {"function_name": {Name: "function"}},
	"aws_s3_bucket_lifecycle_configuration": {"rule": {Elem: &tfbridge.SchemaInfo{Fields: map[string]*tfbridge.SchemaInfo{
		"abort_incomplete_multipart_upload": single(),
		"expiration":                        single(),
		"filter": {MaxItemsOne: tfbridge.True(), Elem: &tfbridge.SchemaInfo{Fields: map[string]*tfbridge.SchemaInfo{
			"and": single(), "tag": single(),
		}}},
		"noncurrent_version_expiration": single(),
	}}}},
	"aws_sns_topic_subscription": {"topic_arn": {Name: "topic"}},
}

var dataSourceFields = map[string]map[string]*tfbridge.SchemaInfo{}

var configFields = map[string]*tfbridge.SchemaInfo{
	"assume_role_with_web_identity": single(),
	"default_tags":                  single(),
	"ignore_tags":                   single(),
}
