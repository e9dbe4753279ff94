// The account: one listing that answers every refresh, and creates. Idle connections are kept for the next call.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
)

const api = "/gpu-instance/openapi/v1"

const pageSize = 100

// endpoint holds the fields that the YAML of the measurements sets, with the names of the API.
type endpoint struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name"`
	Worker struct {
		Min            int `json:"minNum"`
		Max            int `json:"maxNum"`
		FreeTimeout    int `json:"freeTimeout,string"`
		MaxConcurrent  int `json:"maxConcurrent,string"`
		RequestTimeout int `json:"requestTimeout"`
	} `json:"workerConfig"`
	Policy struct {
		Type  string `json:"type"`
		Value int    `json:"value,string"`
	} `json:"policy"`
	Image struct {
		Image   string `json:"image"`
		Command string `json:"command"`
	} `json:"image"`
	Mounts []mount    `json:"volumeMounts"`
	Env    []variable `json:"envs"`
	Ports  []port     `json:"ports"`
	Health struct {
		Path string `json:"path"`
	} `json:"healthy"`
}

type mount struct {
	Type string `json:"type" cty:"type"`
	ID   string `json:"id" cty:"id"`
	Size int    `json:"size" cty:"size_gb"`
	Path string `json:"mountPath" cty:"mount_path"`
}

type variable struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type port struct {
	Port int `json:"port"`
}

type account struct {
	http   *http.Client
	once   sync.Once
	listed map[string]endpoint
	failed error
}

func newAccount() *account {
	return &account{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
}

// find returns an endpoint by its ID. The first call lists the account.
func (a *account) find(id string) (endpoint, bool, error) {
	a.once.Do(func() { a.listed, a.failed = a.list() })
	found, ok := a.listed[id]
	return found, ok, a.failed
}

func (a *account) list() (map[string]endpoint, error) {
	found := map[string]endpoint{}
	for page := 0; ; page++ {
		var answer struct {
			Endpoints []endpoint `json:"endpoints"`
			Total     int        `json:"total"`
		}
		path := fmt.Sprintf("/endpoints?pageSize=%d&pageNum=%d", pageSize, page)
		if err := a.call("GET", path, nil, &answer); err != nil {
			return nil, err
		}
		for _, one := range answer.Endpoints {
			found[one.ID] = one
		}
		if len(found) >= answer.Total {
			return found, nil
		}
	}
}

func (a *account) create(one endpoint) (string, error) {
	var answer struct {
		ID string `json:"id"`
	}
	err := a.call("POST", "/endpoint/create", map[string]endpoint{"endpoint": one}, &answer)
	return answer.ID, err
}

func (a *account) call(method, path string, body, answer interface{}) error {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, os.Getenv("BENCH_URL")+api+path, &sent)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer k")
	response, err := a.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
