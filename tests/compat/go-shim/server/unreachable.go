package server

import (
	"errors"
	"net"
	"time"
)

// What tests do to a server that runs in their own process. A process of its own cannot be reached that way: test files
// compile, and a test that comes here fails.

func unreachable(what string) error {
	return errors.New(what + ": the server is another process")
}

type Account struct {
	Name string
}

func NewAccount(name string) *Account { panic(unreachable("NewAccount " + name)) }

func (a *Account) AddServiceExport(string, []*Account) error       { return unreachable("export") }
func (a *Account) AddStreamExport(string, []*Account) error        { return unreachable("export") }
func (a *Account) AddServiceImport(*Account, string, string) error { return unreachable("import") }
func (a *Account) AddStreamImport(*Account, string, string) error  { return unreachable("import") }
func (a *Account) NumPendingReverseResponses() int                 { return -1 }
func (a *Account) NumPendingAllResponses() int                     { return -1 }
func (a *Account) NumPendingResponses(string) int                  { return -1 }
func (a *Account) NumServiceImports() int                          { return -1 }
func (a *Account) MaxNumResponses() int                            { return -1 }
func (a *Account) SetMaxResponses(int)                             {}
func (a *Account) ServiceExportResponseThreshold(string) (time.Duration, error) {
	return 0, unreachable("threshold")
}
func (a *Account) SetServiceExportResponseThreshold(string, time.Duration) error {
	return unreachable("threshold")
}

type Client struct{}

func (c *Client) RegisterUser(*User) {}

func (s *Server) RegisterAccount(string) (*Account, error) {
	return nil, unreachable("RegisterAccount")
}
func (s *Server) LookupAccount(string) (*Account, error) { return nil, unreachable("LookupAccount") }
func (s *Server) SystemAccount() *Account                { return nil }
func (s *Server) GetClient(uint64) *Client               { return nil }
func (s *Server) AccountResolver() *MemAccResolver       { return &MemAccResolver{} }
func (s *Server) NumLeafNodes() int                      { return -1 }
func (s *Server) GatewayAddr() *net.TCPAddr              { return nil }
func (s *Server) SetLogger(logger interface{}, debug, trace bool) {
}

func SetGatewaysSolicitDelay(time.Duration) {}
func ResetGatewaysSolicitDelay()            {}
