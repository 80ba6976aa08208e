package server

import "time"

// Of the monitoring's JSON, what tests look at.

type Varz struct {
	ID               string            `json:"server_id"`
	Version          string            `json:"version"`
	Start            time.Time         `json:"start"`
	Now              time.Time         `json:"now"`
	Connections      int               `json:"connections"`
	TotalConnections uint64            `json:"total_connections"`
	Routes           int               `json:"routes"`
	InMsgs           int64             `json:"in_msgs"`
	OutMsgs          int64             `json:"out_msgs"`
	InBytes          int64             `json:"in_bytes"`
	OutBytes         int64             `json:"out_bytes"`
	SlowConsumers    int64             `json:"slow_consumers"`
	MaxPending       int64             `json:"max_pending"`
	WriteDeadline    time.Duration     `json:"write_deadline"`
	Mem              int64             `json:"mem"`
	Subscriptions    uint32            `json:"subscriptions"`
	HTTPReqStats     map[string]uint64 `json:"http_req_stats"`
	ConfigLoadTime   time.Time         `json:"config_load_time"`
	TLSRequired      bool              `json:"tls_required"`
	TLSVerify        bool              `json:"tls_verify"`
	TLSTimeout       float64           `json:"tls_timeout"`
	Gateway          struct {
		TLSTimeout float64 `json:"tls_timeout"`
	} `json:"gateway"`
}

type VarzOptions struct{}

type Connz struct {
	ID       string      `json:"server_id"`
	Now      time.Time   `json:"now"`
	NumConns int         `json:"num_connections"`
	Total    int         `json:"total"`
	Offset   int         `json:"offset"`
	Limit    int         `json:"limit"`
	Conns    []*ConnInfo `json:"connections"`
}

type ConnInfo struct {
	Cid            uint64    `json:"cid"`
	Kind           string    `json:"kind"`
	IP             string    `json:"ip"`
	Port           int       `json:"port"`
	Start          time.Time `json:"start"`
	LastActivity   time.Time `json:"last_activity"`
	Uptime         string    `json:"uptime"`
	Idle           string    `json:"idle"`
	Pending        int       `json:"pending_bytes"`
	InMsgs         int64     `json:"in_msgs"`
	OutMsgs        int64     `json:"out_msgs"`
	InBytes        int64     `json:"in_bytes"`
	OutBytes       int64     `json:"out_bytes"`
	NumSubs        uint32    `json:"subscriptions"`
	Name           string    `json:"name"`
	Lang           string    `json:"lang"`
	Version        string    `json:"version"`
	TLSVersion     string    `json:"tls_version"`
	TLSCipher      string    `json:"tls_cipher_suite"`
	AuthorizedUser string    `json:"authorized_user"`
	Account        string    `json:"account"`
	Subs           []string  `json:"subscriptions_list"`
}

type Subsz struct {
	NumSubs    uint32  `json:"num_subscriptions"`
	NumCache   uint32  `json:"num_cache"`
	NumInserts uint64  `json:"num_inserts"`
	NumRemoves uint64  `json:"num_removes"`
	NumMatches uint64  `json:"num_matches"`
	Total      int     `json:"total"`
	Limit      int     `json:"limit"`
	MaxFanout  uint32  `json:"max_fanout"`
	AvgFanout  float64 `json:"avg_fanout"`
}

// Info is what a client is told first.
type Info struct {
	ID           string   `json:"server_id"`
	Name         string   `json:"server_name"`
	Version      string   `json:"version"`
	Proto        int      `json:"proto"`
	Host         string   `json:"host"`
	Port         int      `json:"port"`
	Headers      bool     `json:"headers"`
	AuthRequired bool     `json:"auth_required"`
	TLSRequired  bool     `json:"tls_required"`
	TLSVerify    bool     `json:"tls_verify"`
	TLSAvailable bool     `json:"tls_available"`
	MaxPayload   int32    `json:"max_payload"`
	CID          uint64   `json:"client_id"`
	ClientIP     string   `json:"client_ip"`
	Nonce        string   `json:"nonce"`
	Cluster      string   `json:"cluster"`
	ConnectURLs  []string `json:"connect_urls"`
}

// Ports is what the ports file has.
type Ports struct {
	Nats       []string `json:"nats"`
	Monitoring []string `json:"monitoring"`
	Cluster    []string `json:"cluster"`
	Profile    []string `json:"profile"`
	WebSocket  []string `json:"websocket"`
}
