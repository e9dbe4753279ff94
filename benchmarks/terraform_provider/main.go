// A Terraform provider with one resource, bench_endpoint: the endpoint of the measurements with all its fields.
//
// It does what every provider does for Terraform and nothing more. It refreshes from one listing and reads nothing
// back after a create. The account is at BENCH_URL.

package main

import (
	"context"
	"errors"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/gocty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"github.com/zclconf/go-cty/cty/msgpack"
	"google.golang.org/grpc"
)

// resource holds the attributes of bench_endpoint.
type resource struct {
	ID             *string           `cty:"id"`
	Name           string            `cty:"name"`
	Image          string            `cty:"image"`
	Command        string            `cty:"command"`
	MinReplicas    int               `cty:"min_replicas"`
	MaxReplicas    int               `cty:"max_replicas"`
	FreeTimeout    int               `cty:"free_timeout"`
	RequestTimeout int               `cty:"request_timeout"`
	MaxConcurrent  int               `cty:"max_concurrent"`
	PolicyType     string            `cty:"policy_type"`
	PolicyValue    int               `cty:"policy_value"`
	Port           int               `cty:"port"`
	HealthPath     string            `cty:"health_path"`
	Env            map[string]string `cty:"env"`
	Storage        []mount           `cty:"storage"`
}

var resourceType = must(gocty.ImpliedType(resource{}))

func must(ty cty.Type, err error) cty.Type {
	if err != nil {
		panic(err)
	}
	return ty
}

func declared(one endpoint) resource {
	env := map[string]string{}
	for _, variable := range one.Env {
		env[variable.Key] = variable.Value
	}
	port := 0
	if len(one.Ports) > 0 {
		port = one.Ports[0].Port
	}
	return resource{
		ID: &one.ID, Name: one.Name, Image: one.Image.Image, Command: one.Image.Command,
		MinReplicas: one.Worker.Min, MaxReplicas: one.Worker.Max, FreeTimeout: one.Worker.FreeTimeout,
		RequestTimeout: one.Worker.RequestTimeout, MaxConcurrent: one.Worker.MaxConcurrent,
		PolicyType: one.Policy.Type, PolicyValue: one.Policy.Value, Port: port, HealthPath: one.Health.Path,
		Env: env, Storage: one.Mounts,
	}
}

func sent(one resource) (body endpoint) {
	body.Name, body.Image.Image, body.Image.Command = one.Name, one.Image, one.Command
	body.Worker.Min, body.Worker.Max = one.MinReplicas, one.MaxReplicas
	body.Worker.FreeTimeout, body.Worker.RequestTimeout = one.FreeTimeout, one.RequestTimeout
	body.Worker.MaxConcurrent = one.MaxConcurrent
	body.Policy.Type, body.Policy.Value = one.PolicyType, one.PolicyValue
	body.Ports, body.Health.Path, body.Mounts = []port{{one.Port}}, one.HealthPath, one.Storage
	for key, value := range one.Env {
		body.Env = append(body.Env, variable{key, value})
	}
	return body
}

type provider struct{ account *account }

func (p *provider) schema(*empty) (*schemas, error) {
	attributes := []*attribute{}
	for name, ty := range resourceType.AttributeTypes() {
		encoded, err := ctyjson.MarshalType(ty)
		if err != nil {
			return nil, err
		}
		one := &attribute{Name: name, Type: encoded, Required: name != "id", Computed: name == "id"}
		attributes = append(attributes, one)
	}
	resources := map[string]*schema{"bench_endpoint": {Block: &block{Attributes: attributes}}}
	return &schemas{Provider: &schema{Block: &block{}}, Resources: resources}, nil
}

func (p *provider) prepare(request *prepareRequest) (*prepared, error) {
	return &prepared{Config: request.Config}, nil
}

func (p *provider) nothing(*empty) (*empty, error) { return &empty{}, nil }

func (p *provider) upgrade(request *upgradeRequest) (*state, error) {
	return &state{State: &value{JSON: request.State.JSON}}, nil
}

// read returns the endpoint as it was listed, or null if it is gone.
func (p *provider) read(request *readRequest) (*state, error) {
	current, err := decoded(request.State)
	if err != nil {
		return nil, err
	}
	found, ok, err := p.account.find(*current.ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return encoded(cty.NullVal(resourceType))
	}
	return encodedResource(declared(found))
}

// plan accepts what Terraform proposes. Only the ID of a new endpoint is not known yet.
func (p *provider) plan(request *planRequest) (*state, error) {
	proposed, err := msgpack.Unmarshal(request.Proposed.Msgpack, resourceType)
	if err != nil || proposed.IsNull() || !proposed.GetAttr("id").IsNull() {
		return &state{State: request.Proposed}, err
	}
	attributes := proposed.AsValueMap()
	attributes["id"] = cty.UnknownVal(cty.String)
	return encoded(cty.ObjectVal(attributes))
}

func (p *provider) apply(request *applyRequest) (*state, error) {
	prior, err := msgpack.Unmarshal(request.Prior.Msgpack, resourceType)
	if err != nil {
		return nil, err
	}
	if !prior.IsNull() {
		return nil, errors.New("a measurement neither updates nor deletes")
	}
	config, err := decoded(request.Config)
	if err != nil {
		return nil, err
	}
	id, err := p.account.create(sent(config))
	if err != nil {
		return nil, err
	}
	config.ID = &id
	return encodedResource(config)
}

func decoded(from *value) (one resource, err error) {
	object, err := msgpack.Unmarshal(from.Msgpack, resourceType)
	if err == nil {
		err = gocty.FromCtyValue(object, &one)
	}
	return one, err
}

func encodedResource(one resource) (*state, error) {
	object, err := gocty.ToCtyValue(one, resourceType)
	if err != nil {
		return nil, err
	}
	return encoded(object)
}

func encoded(object cty.Value) (*state, error) {
	data, err := msgpack.Marshal(object, resourceType)
	return &state{State: &value{Msgpack: data}}, err
}

// method makes a function a method of the gRPC service.
func method[Q, A any](name string, call func(*provider, *Q) (*A, error)) grpc.MethodDesc {
	handle := func(
		server interface{}, _ context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor,
	) (interface{}, error) {
		request := new(Q)
		if err := decode(request); err != nil {
			return nil, err
		}
		return call(server.(*provider), request)
	}
	return grpc.MethodDesc{MethodName: name, Handler: handle}
}

var service = grpc.ServiceDesc{
	ServiceName: "tfplugin5.Provider",
	HandlerType: (*interface{})(nil),
	Methods: []grpc.MethodDesc{
		method("GetSchema", (*provider).schema),
		method("PrepareProviderConfig", (*provider).prepare),
		method("ValidateResourceTypeConfig", (*provider).nothing),
		method("Configure", (*provider).nothing),
		method("UpgradeResourceState", (*provider).upgrade),
		method("ReadResource", (*provider).read),
		method("PlanResourceChange", (*provider).plan),
		method("ApplyResourceChange", (*provider).apply),
		method("Stop", (*provider).nothing),
	},
}

type servedPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (servedPlugin) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	server.RegisterService(&service, &provider{newAccount()})
	return nil
}

func (servedPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (interface{}, error) {
	return nil, errors.New("only Terraform is a client")
}

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		VersionedPlugins: map[int]plugin.PluginSet{5: {"provider": servedPlugin{}}},
		Logger:           hclog.NewNullLogger(),
		GRPCServer:       plugin.DefaultGRPCServer,
	})
}
