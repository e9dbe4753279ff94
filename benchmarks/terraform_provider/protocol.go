// The messages of Terraform's plugin protocol 5 that a provider without data sources needs.

package main

// XXX_NoUnkeyedLiteral makes a struct with tags a message of the protobuf library. It has the name of a field that
// the library skips, because it is embedded.
type XXX_NoUnkeyedLiteral struct{}

func (*XXX_NoUnkeyedLiteral) Reset()         {}
func (*XXX_NoUnkeyedLiteral) String() string { return "" }
func (*XXX_NoUnkeyedLiteral) ProtoMessage()  {}

type value struct {
	XXX_NoUnkeyedLiteral
	Msgpack []byte `protobuf:"bytes,1,opt,name=msgpack,proto3"`
	JSON    []byte `protobuf:"bytes,2,opt,name=json,proto3"`
}

type attribute struct {
	XXX_NoUnkeyedLiteral
	Name     string `protobuf:"bytes,1,opt,name=name,proto3"`
	Type     []byte `protobuf:"bytes,2,opt,name=type,proto3"`
	Required bool   `protobuf:"varint,4,opt,name=required,proto3"`
	Computed bool   `protobuf:"varint,6,opt,name=computed,proto3"`
}

type block struct {
	XXX_NoUnkeyedLiteral
	Attributes []*attribute `protobuf:"bytes,2,rep,name=attributes,proto3"`
}

type schema struct {
	XXX_NoUnkeyedLiteral
	Block *block `protobuf:"bytes,2,opt,name=block,proto3"`
}

type empty struct{ XXX_NoUnkeyedLiteral }

type schemas struct {
	XXX_NoUnkeyedLiteral
	Provider  *schema            `protobuf:"bytes,1,opt,name=provider,proto3"`
	Resources map[string]*schema `protobuf:"bytes,2,rep,name=resource_schemas,proto3" protobuf_key:"bytes,1,opt,name=key,proto3" protobuf_val:"bytes,2,opt,name=value,proto3"`
}

type prepareRequest struct {
	XXX_NoUnkeyedLiteral
	Config *value `protobuf:"bytes,1,opt,name=config,proto3"`
}

type prepared struct {
	XXX_NoUnkeyedLiteral
	Config *value `protobuf:"bytes,1,opt,name=prepared_config,proto3"`
}

type rawState struct {
	XXX_NoUnkeyedLiteral
	JSON []byte `protobuf:"bytes,1,opt,name=json,proto3"`
}

type upgradeRequest struct {
	XXX_NoUnkeyedLiteral
	State *rawState `protobuf:"bytes,3,opt,name=raw_state,proto3"`
}

type state struct {
	XXX_NoUnkeyedLiteral
	State *value `protobuf:"bytes,1,opt,name=state,proto3"`
}

type readRequest struct {
	XXX_NoUnkeyedLiteral
	State *value `protobuf:"bytes,2,opt,name=current_state,proto3"`
}

type planRequest struct {
	XXX_NoUnkeyedLiteral
	Proposed *value `protobuf:"bytes,3,opt,name=proposed_new_state,proto3"`
}

type applyRequest struct {
	XXX_NoUnkeyedLiteral
	Prior  *value `protobuf:"bytes,2,opt,name=prior_state,proto3"`
	Config *value `protobuf:"bytes,4,opt,name=config,proto3"`
}
